package rpc

import (
	"context"
	"strconv"

	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// clientVersion is what web3_clientVersion and Filecoin.Version say.
const clientVersion = "tidegate-devnet/lotus-1.36.1"

// Web3ClientVersion is web3_clientVersion.
func (n *node) Web3ClientVersion(context.Context) (string, error) { return clientVersion, nil }

// EthChainId is eth_chainId.
func (n *node) EthChainId(context.Context) (ethtypes.EthUint64, error) {
	return ethtypes.EthUint64(n.chain.ChainID()), nil
}

// NetVersion is net_version.
func (n *node) NetVersion(context.Context) (string, error) {
	return strconv.FormatUint(n.chain.ChainID(), 10), nil
}

// NetListening is net_listening.
func (n *node) NetListening(context.Context) (bool, error) { return true, nil }

// EthProtocolVersion is eth_protocolVersion: the network version at the head.
func (n *node) EthProtocolVersion(context.Context) (ethtypes.EthUint64, error) {
	return ethtypes.EthUint64(n.chain.NetworkVersion(n.chain.Head().Height())), nil
}

// EthSyncing is eth_syncing: false, for the chain is made here.
func (n *node) EthSyncing(context.Context) (ethtypes.EthSyncingResult, error) {
	height := ethtypes.EthUint64(n.chain.Head().Height())
	return ethtypes.EthSyncingResult{DoneSync: true, CurrentBlock: height, HighestBlock: height}, nil
}

// EthAccounts is eth_accounts: a node holds no keys.
func (n *node) EthAccounts(context.Context) ([]ethtypes.EthAddress, error) {
	return []ethtypes.EthAddress{}, nil
}

// Version is Filecoin.Version.
func (n *node) Version(context.Context) (api.APIVersion, error) {
	return api.APIVersion{
		Version:    clientVersion,
		APIVersion: api.FullAPIVersion1,
		BlockDelay: uint64(n.chain.Epoch().Seconds()),
	}, nil
}

package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	miner "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v9/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/api"
	lotusminer "github.com/filecoin-project/lotus/chain/actors/builtin/miner"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Endpoint is where a node's JSON-RPC is, and what is sent along.
type Endpoint struct {
	URL    string
	Header http.Header // the token, if there is one
}

// withToken is TOKEN:ADDRESS; a token is a JWT.
var withToken = regexp.MustCompile(`^([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*):(.+)$`)

// ParseInfo reads FULLNODE_API_INFO: a multiaddr or a URL, with or without a token before
// it. A URL without a path gets that of Lotus's API.
func ParseInfo(info string) (Endpoint, error) {
	info = strings.TrimSpace(info)
	var e Endpoint
	if m := withToken.FindStringSubmatch(info); m != nil {
		e.Header = http.Header{"Authorization": {"Bearer " + m[1]}}
		info = m[2]
	}
	if strings.HasPrefix(info, "/") {
		ma, err := multiaddr.NewMultiaddr(info)
		if err != nil {
			return Endpoint{}, errors.New("the node's address is no multiaddr like /ip4/127.0.0.1/tcp/1234/http")
		}
		network, host, err := manet.DialArgs(ma)
		if err != nil || !strings.HasPrefix(network, "tcp") {
			return Endpoint{}, errors.New("the node's multiaddr names no TCP port")
		}
		scheme := "http://"
		for _, part := range ma {
			if code := part.Code(); code == multiaddr.P_HTTPS || code == multiaddr.P_TLS || code == multiaddr.P_WSS {
				scheme = "https://"
			}
		}
		info = scheme + host
	}
	u, err := url.Parse(info)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ws" && u.Scheme != "wss" {
		return Endpoint{}, errors.New("the node's address is neither TOKEN:/ip4/…/tcp/…/http nor TOKEN:http://host:port")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/rpc/v1"
	}
	e.URL = u.String()
	return e, nil
}

// lotus is what is needed of lotus/api's FullNode.
type lotus interface {
	WalletHas(context.Context, address.Address) (bool, error)
	MpoolPushMessage(context.Context, *types.Message, *api.MessageSendSpec) (*types.SignedMessage, error)
	GasEstimateMessageGas(context.Context, *types.Message, *api.MessageSendSpec, types.TipSetKey) (*types.Message, error)
	StateLookupID(context.Context, address.Address, types.TipSetKey) (address.Address, error)
	StateAccountKey(context.Context, address.Address, types.TipSetKey) (address.Address, error)
	StateCall(context.Context, *types.Message, types.TipSetKey) (*api.InvocResult, error)
	ChainGetTipSetByHeight(context.Context, abi.ChainEpoch, types.TipSetKey) (*types.TipSet, error)
	StateSectorGetInfo(context.Context, address.Address, abi.SectorNumber, types.TipSetKey) (*lotusminer.SectorOnChainInfo, error)
	StateMinerInfo(context.Context, address.Address, types.TipSetKey) (api.MinerInfo, error)
	StateDealProviderCollateralBounds(context.Context, abi.PaddedPieceSize, bool, types.TipSetKey) (api.DealCollateralBounds, error)
	StateGetAllocations(context.Context, address.Address, types.TipSetKey) (map[verifreg.AllocationId]verifreg.Allocation, error)
	StateMarketBalance(context.Context, address.Address, types.TipSetKey) (api.MarketBalance, error)
	pushing
}

// Node is a Filecoin node.
type Node struct {
	api   lotus
	close func()
	every time.Duration // between two looks for a message
}

// Open connects to a node. Nothing is asked yet.
func Open(ctx context.Context, e Endpoint) (*Node, error) {
	var full api.FullNodeStruct
	closer, err := jsonrpc.NewMergeClient(ctx, e.URL, "Filecoin", api.GetInternalStructs(&full), e.Header,
		jsonrpc.WithErrors(api.RPCErrors), jsonrpc.WithTimeout(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("connecting to the Filecoin node: %w", err)
	}
	return &Node{api: &full, close: closer, every: 5 * time.Second}, nil
}

// Close ends the connection.
func (n *Node) Close() { n.close() }

// Seen is an address as contracts see its sender: 0x… of an f410 address, else the masked
// id. Errors: one for an address that has no actor yet.
func (n *Node) Seen(ctx context.Context, a address.Address) (common.Address, error) {
	if eth, ok := toEth(a); ok {
		return eth, nil
	}
	if id, err := address.IDFromAddress(a); err == nil {
		return Masked(id), nil
	}
	id, err := n.api.StateLookupID(ctx, a, types.EmptyTSK)
	if err != nil {
		return common.Address{}, fmt.Errorf("%s has no actor on this chain (has it any FIL?): %w", Text(a), err)
	}
	number, err := address.IDFromAddress(id)
	if err != nil {
		return common.Address{}, fmt.Errorf("the id of %s: %w", Text(a), err)
	}
	return Masked(number), nil
}

// SectorActive is the status of a sector that is proven, as FIP-0112 numbers it.
const SectorActive = uint64(1)

// SectorWords names a sector's status.
func SectorWords(status uint64) string {
	switch status {
	case 0:
		return "dead (terminated, expired or never there)"
	case SectorActive:
		return "active"
	case 2:
		return "faulty: recover it first"
	}
	return fmt.Sprintf("status %d", status)
}

// Location is where a sector is proven and what its miner says of it now, as FIP-0112
// numbers it: 0 dead, 1 active, 2 faulty.
type Location struct {
	Status uint64
	Aux    []byte
}

// Locate asks a miner where a sector is.
func (n *Node) Locate(ctx context.Context, minerID, sector uint64) (Location, error) {
	to, err := address.NewIDAddress(minerID)
	if err != nil {
		return Location{}, err
	}
	var params bytes.Buffer
	in := miner.GenerateSectorLocationParams{SectorNumber: abi.SectorNumber(sector)}
	if err := in.MarshalCBOR(&params); err != nil {
		return Location{}, fmt.Errorf("encoding a sector's number: %w", err)
	}
	res, err := n.api.StateCall(ctx, &types.Message{
		From: builtin.StorageMarketActorAddr, To: to, Value: filbig.Zero(), Method: methodGenerateSectorLocation, Params: params.Bytes(),
		GasFeeCap: filbig.Zero(), GasPremium: filbig.Zero(),
	}, types.EmptyTSK)
	if err != nil {
		return Location{}, fmt.Errorf("asking %s where sector %d is: %w", Text(to), sector, err)
	}
	if res.MsgRct == nil || res.MsgRct.ExitCode.IsError() {
		return Location{}, fmt.Errorf("asking %s where sector %d is: %s", Text(to), sector, exit(res))
	}
	var out miner.GenerateSectorLocationReturn
	if err := out.UnmarshalCBOR(bytes.NewReader(res.MsgRct.Return)); err != nil {
		return Location{}, fmt.Errorf("where %s says that sector %d is: %w", Text(to), sector, err)
	}
	return Location{Status: uint64(out.Status), Aux: out.AuxData}, nil
}

// Committed is the epoch until which a sector is committed. Errors: one for a sector that
// there is not.
func (n *Node) Committed(ctx context.Context, minerID, sector uint64) (uint64, error) {
	of, err := address.NewIDAddress(minerID)
	if err != nil {
		return 0, err
	}
	info, err := n.api.StateSectorGetInfo(ctx, of, abi.SectorNumber(sector), types.EmptyTSK)
	if err != nil {
		return 0, fmt.Errorf("asking until when sector %d of %s is committed: %w", sector, Text(of), err)
	}
	if info == nil {
		return 0, fmt.Errorf("%s has no sector %d", Text(of), sector)
	}
	return uint64(max(info.Expiration, 0)), nil
}

// mostAddrs bounds the addresses of one miner that are used.
const mostAddrs = 8

// Addrs gives where a miner says on chain that it is reached over libp2p: multiaddrs
// that end in /p2p/…, none where it names no peer.
func (n *Node) Addrs(ctx context.Context, minerID uint64) ([]string, error) {
	at, err := address.NewIDAddress(minerID)
	if err != nil {
		return nil, err
	}
	info, err := n.api.StateMinerInfo(ctx, at, types.EmptyTSK)
	if err != nil {
		return nil, fmt.Errorf("asking where %s is: %w", Text(at), err)
	}
	if info.PeerId == nil {
		return nil, nil
	}
	var out []string
	for _, b := range info.Multiaddrs[:min(len(info.Multiaddrs), mostAddrs)] {
		if a, err := multiaddr.NewMultiaddrBytes(b); err == nil { // many miners' are malformed
			out = append(out, a.String()+"/p2p/"+info.PeerId.String())
		}
	}
	return out, nil
}

// Collateral gives the least collateral, attoFIL, that f05 wants of a provider for a piece,
// with the margin that Lotus adds.
func (n *Node) Collateral(ctx context.Context, padded uint64, verified bool) (*big.Int, error) {
	bounds, err := n.api.StateDealProviderCollateralBounds(ctx, abi.PaddedPieceSize(padded), verified, types.EmptyTSK)
	if err != nil {
		return nil, fmt.Errorf("asking for the bounds of collateral: %w", err)
	}
	if bounds.Min.Int == nil {
		return nil, errors.New("asking for the bounds of collateral: the node named none")
	}
	return bounds.Min.Int, nil
}

func exit(res *api.InvocResult) string {
	if res.MsgRct == nil {
		return res.Error
	}
	return fmt.Sprintf("exit code %d: %s", res.MsgRct.ExitCode, res.Error)
}

// Try runs a call as an actor would send it, without sending it. Errors: one that says in
// words why the contract, or the chain, refuses it.
func (n *Node) Try(ctx context.Context, from address.Address, c Call) error {
	msg, err := c.Message(from)
	if err != nil {
		return err
	}
	res, err := n.api.StateCall(ctx, msg, types.EmptyTSK)
	if err != nil {
		return fmt.Errorf("trying the call from %s: %w", Text(from), err)
	}
	switch {
	case res.MsgRct != nil && res.MsgRct.ExitCode.IsSuccess():
		return nil
	case res.MsgRct == nil || res.MsgRct.ExitCode != exitReverted:
		return fmt.Errorf("trying the call from %s: %s", Text(from), exit(res))
	}
	data, err := cbg.ReadByteArray(bytes.NewReader(res.MsgRct.Return), cbg.ByteArrayMaxLen)
	if err != nil && len(res.MsgRct.Return) > 0 {
		return fmt.Errorf("trying the call from %s: %s", Text(from), exit(res))
	}
	return fmt.Errorf("refused: %s", Reverted(data))
}

// exitReverted is EVM_CONTRACT_REVERTED.
const exitReverted = exitcode.ExitCode(33)

package rpc

import (
	"reflect"
	"testing"

	"github.com/filecoin-project/go-jsonrpc/auth"
)

// What watchers and executors need of a Filecoin node: every method of these names is
// there.
func TestMethodsThatClientsNeed(t *testing.T) {
	ours := reflect.TypeFor[*node]()
	for _, name := range []string{
		"ChainHead", "ChainNotify", "ChainGetFinalizedTipSet", "ChainGetTipSet", "ChainGetTipSetByHeight", "ChainGetMessage",
		"StateMarketStorageDeal", "StateMarketDeals", "StateMarketBalance", "StateMarketProposalPending", "StateDealProviderCollateralBounds",
		"StateGetAllocation", "StateGetAllocations", "StateGetAllocationForPendingDeal", "StateGetAllocationIdForPendingDeal",
		"StateGetClaim", "StateGetClaims", "StateVerifiedClientStatus", "StateVerifierStatus", "StateVerifiedRegistryRootKey",
		"StateMinerInfo", "StateMinerPower", "StateMinerSectors", "StateMinerFaults", "StateMinerRecoveries", "StateMinerPartitions",
		"StateMinerProvingDeadline", "StateMinerAvailableBalance", "StateListMiners",
		"StateSectorGetInfo", "StateSectorExpiration", "StateSectorPartition",
		"StateLookupID", "StateAccountKey", "StateLookupRobustAddress", "StateCall", "StateReplay", "StateSearchMsg", "StateWaitMsg",
		"MpoolPushMessage", "MpoolPush", "MpoolGetNonce", "WalletSign", "WalletList", "WalletHas", "WalletDefaultAddress",
		"EthAddressToFilecoinAddress", "FilecoinAddressToEthAddress", "GetActorEventsRaw", "SubscribeActorEventsRaw",
		"MarketAddBalance", "F3GetLatestCertificate", "F3IsRunning", "AuthNew", "AuthVerify",
		"EthAccounts", "EthBlockNumber", "EthGetBlockTransactionCountByNumber", "EthGetBlockTransactionCountByHash", "EthGetBlockByHash",
		"EthGetBlockByNumber", "EthGetTransactionByHash", "EthGetTransactionCount", "EthGetTransactionReceipt", "EthGetBlockReceipts",
		"EthGetTransactionByBlockHashAndIndex", "EthGetTransactionByBlockNumberAndIndex", "EthGetCode", "EthGetStorageAt", "EthGetBalance",
		"EthChainId", "EthSyncing", "EthBaseFee", "EthFeeHistory", "EthProtocolVersion", "EthMaxPriorityFeePerGas", "EthGasPrice",
		"EthSendRawTransaction", "EthEstimateGas", "EthCall", "EthGetLogs", "EthGetFilterChanges", "EthGetFilterLogs", "EthNewFilter",
		"EthNewBlockFilter", "EthNewPendingTransactionFilter", "EthUninstallFilter", "EthSubscribe", "EthUnsubscribe",
		"NetVersion", "NetListening", "Web3ClientVersion",
	} {
		if _, ok := ours.MethodByName(name); !ok {
			t.Errorf("Filecoin.%s is not there", name)
		}
		if permissions()[name] == "" {
			t.Errorf("Filecoin.%s asks for no permission: it is none of Lotus's", name)
		}
	}
}

// No bytes pass for a token but those that the secret signed.
func FuzzVerifyToken(f *testing.F) {
	secret := []byte("sixteen bytes or more")
	good, err := newToken(secret, []auth.Permission{"read"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", ".", "..", good + ".", tokenHeader + ".e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if allowed, err := verifyToken(secret, token); (err == nil) != (token == good) {
			t.Errorf("%q allows %v, %v", token, allowed, err)
		}
	})
}

package rpc

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/google/uuid"

	"github.com/tidegate/tidegate/devnet/rpc/ethtx"
)

// node has every method on the wire that a Lotus node has and the devnet supports:
// its exported methods, and no others, are Filecoin.<name>.
type node struct {
	chain   Chain
	config  Config
	log     *slog.Logger
	codec   ethtx.Codec
	hashes  *hashIndex
	events  *eventIndex
	filters *filterStore
	subs    *subscriptions
	wallet  wallet

	logRange   atomic.Int64 // epochs that a query of logs may span
	logResults atomic.Int64 // events that a query of several tipsets may have
	fullBlooms atomic.Bool  // blocks' blooms say nothing
}

func newNode(config Config, source Chain) *node {
	n := &node{chain: source, config: config, log: config.Log, codec: ethtx.New(source.ChainID())}
	n.wallet.known = map[uuid.UUID]*types.SignedMessage{}
	n.hashes = newHashIndex(source)
	n.events = newEventIndex(source)
	n.filters = newFilterStore(config.MaxFilters, config.Now)
	n.subs = newSubscriptions()
	n.logRange.Store(int64(config.MaxFilterRange))
	n.logResults.Store(int64(config.MaxFilterResults))
	return n
}

// register makes the JSON-RPC server with all names; what a permission does not allow
// says so.
func (n *node) register(level int) *jsonrpc.RPCServer {
	server := jsonrpc.NewServer(
		jsonrpc.WithServerErrors(api.RPCErrors),
		jsonrpc.WithReverseClient[api.EthSubscriberMethods]("Filecoin"),
		jsonrpc.WithMaxRequestSize(n.config.MaxBody),
		jsonrpc.WithServerMethodNameFormatter(methodName),
	)
	server.Register("Filecoin", n)
	api.CreateEthRPCAliases(server)
	for _, name := range n.unsupported() {
		server.Register(exactly+name, missing{name})
	}
	for name, need := range permissions() {
		if slices.Index(levels, need) > level {
			server.Register(exactly+"Filecoin."+name, denied{name, need})
		}
	}
	if n.config.loopback() && level == len(levels)-1 {
		server.Register("devnet_", &devnetControl{n})
		for _, more := range n.config.Controls {
			server.Register("devnet_", more)
		}
		server.Register("evm_", &evmControl{n})
		server.Register("anvil_", &anvilControl{n})
	}
	return server
}

// exactly before a namespace makes it the whole name of its only method.
const exactly = "="

// methodName is Filecoin.EthCall for Lotus's names and devnet_setBlockTime for a
// namespace that ends in an underscore.
func methodName(namespace, method string) string {
	if name, ok := strings.CutPrefix(namespace, exactly); ok {
		return name
	}
	if strings.HasSuffix(namespace, "_") {
		return namespace + string(unicode.ToLower(rune(method[0]))) + method[1:]
	}
	return namespace + "." + method
}

// missing answers for a method that others have and the devnet has not.
type missing struct{ name string }

// Call is the method.
func (m missing) Call(jsonrpc.RawParams) (any, error) { return nil, unsupportedMethod(m.name) }

// Names that tools of the Ethereum world try and neither Lotus nor the devnet has.
var foreignMethods = []string{
	"eth_sign", "eth_signTransaction", "eth_signTypedData", "eth_signTypedData_v4", "eth_sendTransaction",
	"eth_createAccessList", "eth_getProof", "eth_coinbase", "eth_mining", "eth_hashrate", "eth_getWork", "eth_submitWork",
	"eth_blobBaseFee", "eth_getUncleCountByBlockHash", "eth_getUncleCountByBlockNumber",
	"eth_getUncleByBlockHashAndIndex", "eth_getUncleByBlockNumberAndIndex", "eth_sendRawTransactionSync", "eth_simulateV1",
	"debug_traceTransaction", "debug_traceCall", "debug_traceBlockByNumber", "debug_traceBlockByHash",
	"txpool_content", "txpool_inspect", "txpool_status", "net_peerCount", "web3_sha3", "wallet_getCapabilities",
	"anvil_impersonateAccount", "anvil_stopImpersonatingAccount", "anvil_setCode", "anvil_setNonce", "anvil_setStorageAt", "anvil_reset",
	"anvil_setNextBlockBaseFeePerGas", "evm_setAccountNonce",
}

// unsupported are the names of lotus/api that node lacks, and foreignMethods.
func (n *node) unsupported() []string {
	names := append([]string(nil), foreignMethods...)
	full, ours := reflect.TypeFor[api.FullNode](), reflect.TypeOf(n)
	for i := range full.NumMethod() {
		name := full.Method(i).Name
		if _, ok := ours.MethodByName(name); !ok {
			names = append(names, "Filecoin."+name)
		}
	}
	return names
}

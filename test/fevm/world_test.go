package fevm

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/filecoin-project/go-address"
	filabi "github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	multisig18 "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/exitcode"
	filtypes "github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/bindings/storagepools"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/provider"
)

// world is the suite of contracts on a devnet with storage providers, where epochs pass
// on demand. Everything in it is a signed message in a tipset.
type world struct {
	testing.TB
	ctx   context.Context
	eth   *ethclient.Client
	chain *chain.Chain
	fleet *provider.Fleet
	at    map[string]common.Address
	byID  map[filabi.ActorID]common.Address // contracts
	abis  map[common.Address]*abi.ABI

	s *perpetualstorage.PerpetualStorage
	g *storagegate.StorageGate
	r *providerregistry.ProviderRegistry
	o *dealstatusoracle.DealStatusOracle
	p *estuarypinning.EstuaryPinning
	x *estuaryprovider.EstuaryProvider
	l *storagepools.StoragePools

	owner, operator, client, keeper, stranger party

	books  *books
	called map[string]map[string]bool // of each function, who called it and how it ended
}

// party is who calls: an account, or a multisig in which the account may act alone.
type party struct {
	name     string
	key      chain.Account
	multisig address.Address
	as       common.Address // what contracts see
	id       filabi.ActorID
}

// abis are those of the contracts whose answers and errors the tests read.
var metas = map[string]*bind.MetaData{
	bindings.EstuaryProvider: &estuaryprovider.EstuaryProviderMetaData, bindings.EstuaryPinning: &estuarypinning.EstuaryPinningMetaData,
	bindings.PerpetualStorage: &perpetualstorage.PerpetualStorageMetaData, bindings.StorageGate: &storagegate.StorageGateMetaData,
	bindings.ProviderRegistry: &providerregistry.ProviderRegistryMetaData, bindings.DealStatusOracle: &dealstatusoracle.DealStatusOracleMetaData,
	bindings.FilecoinFacts: &filecoinfacts.FilecoinFactsMetaData, bindings.StoragePools: &storagepools.StoragePoolsMetaData,
	bindings.StatusDesk: &statusdesk.StatusDeskMetaData,
	bindings.DataDAO:    &datadao.DataDAOMetaData, bindings.DataDAOFactory: &datadaofactory.DataDAOFactoryMetaData,
}

// patience bounds a test; nothing is expected to take as long.
const patience = 5 * time.Minute

func newWorld(t testing.TB, options ...func(*devnet.Config)) *world {
	t.Helper()
	limit := patience
	if soak {
		limit = time.Hour
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	net := devnet.Start(t, append([]func(*devnet.Config){func(c *devnet.Config) {
		c.GenesisTime, c.Epoch = genesis, 30*time.Second
	}}, options...)...)
	client, err := ethclient.DialContext(ctx, net.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	made, err := deploy.OnDevnet(ctx, client, net.Accounts()[0].Key(), net.Accounts()[1].Address)
	if err != nil {
		t.Fatal(err)
	}
	if err := net.Chain().SetPace(chain.Pace{}); err != nil {
		t.Fatal(err)
	}
	w := &world{
		TB: t, ctx: ctx, eth: client, chain: net.Chain(), fleet: net.Providers(), at: made.Contracts,
		byID: map[filabi.ActorID]common.Address{}, abis: map[common.Address]*abi.ABI{}, called: map[string]map[string]bool{},
		s: perpetualstorage.NewPerpetualStorage(), g: storagegate.NewStorageGate(), r: providerregistry.NewProviderRegistry(),
		o: dealstatusoracle.NewDealStatusOracle(), p: estuarypinning.NewEstuaryPinning(), x: estuaryprovider.NewEstuaryProvider(),
		l: storagepools.NewStoragePools(),
	}
	for name, meta := range metas {
		parsed, err := meta.ParseABI()
		w.must(err)
		w.abis[w.at[name]] = parsed
		id, err := w.chain.Resolve(ctx, filecoinOf(w.at[name]), nil)
		w.must(err)
		w.byID[id] = w.at[name]
	}
	for i, p := range []*party{&w.owner, &w.operator, &w.client, &w.keeper, &w.stranger} {
		*p = w.party([]string{"owner", "operator", "client", "keeper", "stranger"}[i], w.chain.Accounts()[i])
	}
	w.books = newBooks(w)
	t.Cleanup(w.hearsAll)
	return w
}

// under is the same world in a subtest.
func (w *world) under(t testing.TB) *world {
	in := *w
	in.TB = t
	return &in
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func filecoinOf(a common.Address) address.Address {
	f, err := ethtypes.EthAddress(a).ToFilecoinAddress()
	if err != nil {
		panic(fmt.Sprintf("fevm: %s: %v", a, err))
	}
	return f
}

func masked(id filabi.ActorID) common.Address {
	return common.Address(ethtypes.EthAddressFromActorID(id))
}

func (w *world) party(name string, key chain.Account) party {
	w.Helper()
	id, err := w.chain.Resolve(w.ctx, key.Address, nil)
	w.must(err)
	p := party{name: name, key: key, as: masked(id), id: id}
	if key.Kind == chain.Ethereum {
		eth, err := ethtypes.EthAddressFromFilecoinAddress(key.Address)
		w.must(err)
		p.as = common.Address(eth)
	}
	return p
}

// shared is a multisig of its own money, in which an account may act alone.
func (w *world) shared(name string, signer chain.Account) party {
	w.Helper()
	wallet, err := w.fleet.Multisig(w.ctx, provider.Fil(500), signer)
	w.must(err)
	id, err := address.IDFromAddress(wallet)
	w.must(err)
	return party{name: name, key: signer, multisig: wallet, as: masked(filabi.ActorID(id)), id: filabi.ActorID(id)}
}

// outcome is what became of a call.
type outcome struct {
	code   exitcode.ExitCode
	answer []byte // what the contract returned, or with what it reverted
	logs   []*types.Log
	gas    int64
	epoch  int64
	trace  *filtypes.ExecutionTrace
	words  string
}

// message is a call of a contract as it is sent, by a multisig as its proposal.
func (w *world) message(by party, to common.Address, value *big.Int, data []byte) *filtypes.Message {
	w.Helper()
	if value == nil {
		value = new(big.Int)
	}
	msg := &filtypes.Message{
		From: by.key.Address, To: filecoinOf(to), Value: filbig.NewFromGo(value), Method: builtin.MethodsEVM.InvokeContract,
		Params: encoded(w, bytesOf(data)), GasLimit: 5_000_000_000,
		GasFeeCap: filbig.NewInt(1_000_000), GasPremium: filbig.NewInt(100_000),
	}
	if !by.multisig.Empty() {
		msg.Params = encoded(w, &multisig18.ProposeParams{To: msg.To, Value: msg.Value, Method: msg.Method, Params: msg.Params})
		msg.To, msg.Value, msg.Method = by.multisig, filbig.Zero(), builtin.MethodsMultisig.Propose
	}
	return msg
}

func bytesOf(data []byte) cbg.CBORMarshaler {
	b := filabi.CborBytes(data)
	return &b
}

func encoded(t testing.TB, v cbg.CBORMarshaler) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := v.MarshalCBOR(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// send puts a call on the chain and gives what became of it.
func (w *world) send(by party, to common.Address, value *big.Int, data []byte) outcome {
	w.Helper()
	msg := w.message(by, to, value, data)
	var err error
	msg.Nonce, err = w.chain.NextNonce(w.ctx, msg.From)
	w.must(err)
	signed, err := by.key.Key.SignMessage(msg, w.chain.ChainID())
	w.must(err)
	_, err = w.chain.Push(w.ctx, signed)
	w.must(err)
	for range 3 {
		if _, err = w.chain.Mine(w.ctx, 1); err != nil {
			break
		}
		if found, ok := w.chain.Lookup(signed.Cid()); ok {
			out := w.ended(by, found.Receipt.ExitCode, found.Receipt.Return)
			out.gas, out.epoch, out.words = found.Receipt.GasUsed, int64(found.TipSet.Height()), found.Error
			out.logs = w.logs(found.Events)
			return out
		}
	}
	w.Fatalf("the message was not mined: %v", err)
	return outcome{}
}

// ended takes apart what a message returned.
func (w *world) ended(by party, code exitcode.ExitCode, returned []byte) outcome {
	w.Helper()
	if !by.multisig.Empty() && code == exitcode.Ok {
		var proposed multisig18.ProposeReturn
		w.must(proposed.UnmarshalCBOR(bytes.NewReader(returned)))
		code, returned = proposed.Code, proposed.Ret
	}
	out := outcome{code: code}
	if len(returned) > 0 {
		var answer filabi.CborBytes
		w.must(answer.UnmarshalCBOR(bytes.NewReader(returned)))
		out.answer = answer
	}
	return out
}

// logs are the events of the contracts as Ethereum sees them.
func (w *world) logs(events []filtypes.Event) (out []*types.Log) {
	for _, e := range events {
		at, ours := w.byID[e.Emitter]
		if !ours {
			continue
		}
		log := &types.Log{Address: at}
		for _, entry := range e.Entries {
			if entry.Key == "d" {
				log.Data = entry.Value
			} else {
				log.Topics = append(log.Topics, common.BytesToHash(entry.Value))
			}
		}
		out = append(out, log)
	}
	return out
}

// do makes a call that must succeed.
func (w *world) do(by party, to common.Address, value *big.Int, data []byte) outcome {
	w.Helper()
	out := w.send(by, to, value, data)
	if out.code != exitcode.Ok {
		w.Fatalf("%s by %s: exit code %d, %s\n%s", w.method(to, data), by.name, out.code, w.errorOf(out.answer), out.words)
	}
	w.remember(by, to, data, "done")
	w.books.note(w, to, value, data, out)
	return out
}

// refused makes a call that must revert with the error, whose arguments it gives.
func (w *world) refused(by party, to common.Address, value *big.Int, data []byte, want string) {
	w.Helper()
	out := w.send(by, to, value, data)
	got := w.errorOf(out.answer)
	if out.code == exitcode.Ok || !strings.Contains(got, want) {
		w.Fatalf("%s by %s: exit code %d, %q; want it refused with %s\n%s", w.method(to, data), by.name, out.code, got, want, out.words)
	}
	w.remember(by, to, data, "refused")
}

// method is the function that a call names, as the ABI spells it.
func (w *world) method(to common.Address, data []byte) string {
	if m, err := w.abis[to].MethodById(data); err == nil {
		return w.nameOf(to) + "." + m.Sig
	}
	return fmt.Sprintf("%s %x", to, data[:4])
}

func (w *world) nameOf(at common.Address) string {
	for name, a := range w.at {
		if a == at {
			return name
		}
	}
	return at.Hex()
}

func (w *world) remember(by party, to common.Address, data []byte, how string) {
	key := w.method(to, data)
	if w.called[key] == nil {
		w.called[key] = map[string]bool{}
	}
	w.called[key][by.name+" "+how] = true
}

// errorOf is the error in a contract's answer, as "name(arguments)".
func (w *world) errorOf(answer []byte) string {
	if len(answer) < 4 {
		return fmt.Sprintf("%x", answer)
	}
	for _, known := range w.abis {
		for _, e := range known.Errors {
			if !bytes.Equal(e.ID[:4], answer[:4]) {
				continue
			}
			args, err := e.Inputs.Unpack(answer[4:])
			if err != nil {
				continue
			}
			for i, a := range args {
				if word, ok := a.([32]byte); ok {
					args[i] = strings.TrimRight(string(word[:]), "\x00")
				}
			}
			return fmt.Sprintf("%s%v", e.Name, args)
		}
	}
	if reason, err := abi.UnpackRevert(answer); err == nil {
		return reason
	}
	return fmt.Sprintf("%x", answer)
}

// look simulates a call at the head's state.
func (w *world) look(by party, to common.Address, data []byte, trace bool) outcome {
	w.Helper()
	machine, err := w.chain.Machine(w.ctx, nil, chain.MachineOptions{Free: true, Trace: trace})
	w.must(err)
	msg := w.message(by, to, nil, data)
	msg.GasFeeCap, msg.GasPremium = filbig.Zero(), filbig.Zero()
	result, err := machine.Apply(w.ctx, msg, fvm.Implicit, 0)
	w.must(err)
	out := w.ended(by, result.Receipt.ExitCode, result.Receipt.Return)
	out.words, out.trace, out.gas = result.Error, result.Trace, result.Receipt.GasUsed
	return out
}

// read asks a contract and decodes its answer.
func read[T any](w *world, to common.Address, data []byte, unpack func([]byte) (T, error)) T {
	w.Helper()
	out := w.look(w.stranger, to, data, false)
	if out.code != exitcode.Ok {
		w.Fatalf("%s: exit code %d, %s\n%s", w.method(to, data), out.code, w.errorOf(out.answer), out.words)
	}
	w.remember(w.stranger, to, data, "read")
	v, err := unpack(out.answer)
	w.must(err)
	return v
}

// event is the only one of a kind in an outcome.
func event[E any](w *world, out outcome, unpack func(*types.Log) (E, error)) E {
	w.Helper()
	var found []E
	for _, log := range out.logs {
		if e, err := unpack(log); err == nil {
			found = append(found, e)
		}
	}
	var none E
	if len(found) != 1 {
		w.Fatalf("%d events %T", len(found), none)
	}
	return found[0]
}

func (w *world) balance(addr address.Address) *big.Int {
	w.Helper()
	actor, err := w.chain.Actor(w.ctx, addr, nil)
	w.must(err)
	return actor.Balance.Int
}

func (w *world) epoch() int64 { return int64(w.chain.Head().Height()) }

// pass lets epochs pass, in which miners prove.
func (w *world) pass(epochs int64) {
	w.Helper()
	_, err := w.chain.Advance(w.ctx, int(epochs))
	w.must(err)
}

// until lets time pass so that the next message runs at an epoch.
func (w *world) until(epoch int64) {
	w.Helper()
	if left := epoch - 1 - w.epoch(); left > 0 {
		w.pass(left)
	}
}

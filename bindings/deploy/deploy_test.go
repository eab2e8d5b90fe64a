package deploy_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient/simulated"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/pinnednote"
)

// mining is a chain that mines each transaction as it comes.
type mining struct {
	simulated.Client
	mine func()
}

func (m mining) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	if err := m.Client.SendTransaction(ctx, tx); err != nil {
		return err
	}
	m.mine()
	return nil
}

// start gives a chain with one rich key.
func start(t *testing.T) (mining, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	rich := new(big.Int).Lsh(big.NewInt(1), 100)
	chain := simulated.NewBackend(types.GenesisAlloc{crypto.PubkeyToAddress(key.PublicKey): {Balance: rich}})
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return mining{Client: chain.Client(), mine: func() { chain.Commit() }}, key
}

func opts(t *testing.T, chain mining, key *ecdsa.PrivateKey) *bind.TransactOpts {
	t.Helper()
	id, err := chain.ChainID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return bind.NewKeyedTransactor(key, id)
}

var operators = []common.Address{{9}, {3}, {7}} // in no order

func TestEveryProfileDeploysAWorkingSuite(t *testing.T) {
	for _, profile := range deploy.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			chain, key := start(t)
			var said []string
			made, err := deploy.Run(t.Context(), chain, opts(t, chain, key), deploy.Plan{
				Profile: profile, Operators: operators, Threshold: 2, Samples: true,
				Said: func(format string, _ ...any) { said = append(said, format) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(said) == 0 || made.ChainID != 1337 || made.StartBlock != 1 {
				t.Errorf("said %d steps; %+v", len(said), made)
			}
			checkProvider(t, chain, made, profile, crypto.PubkeyToAddress(key.PublicKey))
			checkConsumers(t, chain, made, profile)
			checkDaos(t, chain, key, made)
		})
	}
}

func checkProvider(t *testing.T, chain mining, made deploy.Deployment, profile deploy.Profile, owner common.Address) {
	t.Helper()
	c := estuaryprovider.NewEstuaryProvider()
	at := c.Instance(chain, made.Contracts[bindings.EstuaryProvider])
	digest := ask(t, at, c.PackConfigDigest(), c.UnpackConfigDigest)
	if digest != made.ConfigDigest || digest == (common.Hash{}) {
		t.Errorf("the deployment says digest %s, the contract %x", made.ConfigDigest, digest)
	}
	sorted := slices.SortedFunc(slices.Values(operators), common.Address.Cmp)
	if got := ask(t, at, c.PackOperators(), c.UnpackOperators); !slices.Equal(got, sorted) {
		t.Errorf("operators %v, want %v", got, sorted)
	}
	if got := ask(t, at, c.PackThreshold(), c.UnpackThreshold); got != 2 {
		t.Errorf("threshold %d", got)
	}
	if got := ask(t, at, c.PackOwner(), c.UnpackOwner); got != owner {
		t.Errorf("owner %s, want the deployer %s", got, owner)
	}
	for action, want := range map[uint16]estuaryprovider.Price{1: profile.Pin, 2: profile.Unpin} {
		got := ask(t, at, c.PackPriceOf(action), c.UnpackPriceOf)
		if got.Base.Cmp(want.Base) != 0 || got.PerMiB != want.PerMiB || got.AttemptBps != want.AttemptBps || !got.Offered {
			t.Errorf("price of action %d is %+v, want %+v", action, got, want)
		}
	}
	if got := ask(t, at, c.PackMinAttempt(), c.UnpackMinAttempt); got.Cmp(profile.Provider.MinAttempt) != 0 {
		t.Errorf("minAttempt %s, want %s", got, profile.Provider.MinAttempt)
	}
}

// A quote proves that prices and contracts fit together.
func checkConsumers(t *testing.T, chain mining, made deploy.Deployment, profile deploy.Profile) {
	t.Helper()
	p := estuarypinning.NewEstuaryPinning()
	at := p.Instance(chain, made.Contracts[bindings.EstuaryPinning])
	quote := ask(t, at, p.PackQuotePin(), p.UnpackQuotePin)
	if quote.Fee.Cmp(profile.Pin.Base) <= 0 || new(big.Int).Mul(quote.AttemptFee, big.NewInt(10)).Cmp(quote.Fee) > 0 {
		t.Errorf("a pin is quoted at %s, %s for an attempt; its base price is %s", quote.Fee, quote.AttemptFee, profile.Pin.Base)
	}
	n := pinnednote.NewPinnedNote()
	for _, sample := range []string{bindings.PinnedNote, bindings.RevertingNote} {
		if fee := ask(t, n.Instance(chain, made.Contracts[sample]), n.PackQuote(), n.UnpackQuote); fee.Sign() <= 0 {
			t.Errorf("%s is quoted %s", sample, fee)
		}
	}
}

// A DAO that takes a proposal proves that implementation, libraries and factory fit together.
func checkDaos(t *testing.T, chain mining, key *ecdsa.PrivateKey, made deploy.Deployment) {
	t.Helper()
	me := crypto.PubkeyToAddress(key.PublicKey)
	f := datadaofactory.NewDataDAOFactory()
	factory := f.Instance(chain, made.Contracts[bindings.DataDAOFactory])
	params := deploy.DaoParams()
	if _, err := bind.Transact(factory, opts(t, chain, key), f.PackCreateDAO(datadaofactory.DaoParams(params), []common.Address{me}, common.Address{})); err != nil {
		t.Fatal(err)
	}
	at := ask(t, factory, f.PackDaoAt(new(big.Int)), f.UnpackDaoAt)
	d := datadao.NewDataDAO()
	dao := d.Instance(chain, at)
	cid := append([]byte{1, 0x55, 0x12, 0x20}, make([]byte, 32)...)
	if _, err := bind.Transact(dao, opts(t, chain, key), d.PackCreateCIDProposal(cid, big.NewInt(1000))); err != nil {
		t.Fatal(err)
	}
	p := ask(t, dao, d.PackProposals(big.NewInt(1)), d.UnpackProposals)
	if !bytes.Equal(p.Cidraw, cid) || p.StorageProvider != me || p.Size.Int64() != 1000 {
		t.Errorf("proposal %+v", p)
	}
}

func ask[T any](t *testing.T, at *bind.BoundContract, call []byte, unpack func([]byte) (T, error)) T {
	t.Helper()
	answer, err := bind.Call(at, &bind.CallOpts{Context: t.Context()}, call, unpack)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestSamplesAreOptional(t *testing.T) {
	chain, key := start(t)
	made, err := deploy.Run(t.Context(), chain, opts(t, chain, key),
		deploy.Plan{Profile: deploy.Anvil(), Operators: operators, Threshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Contracts) != 19 {
		t.Errorf("deployed %v", made.Contracts)
	}
	if _, err := made.Address(bindings.PinnedNote); err == nil {
		t.Error("an address is given for what was not deployed")
	}
}

func TestThresholdsThatCannotBeMetAreRefused(t *testing.T) {
	chain, key := start(t)
	for _, p := range []deploy.Plan{
		{Profile: deploy.Anvil(), Operators: operators, Threshold: 0},
		{Profile: deploy.Anvil(), Operators: operators, Threshold: 4},
		{Profile: deploy.Anvil(), Threshold: 1},
	} {
		if _, err := deploy.Run(t.Context(), chain, opts(t, chain, key), p); err == nil {
			t.Errorf("threshold %d of %d operators was deployed", p.Threshold, len(p.Operators))
		}
	}
	if nonce, err := chain.PendingNonceAt(t.Context(), crypto.PubkeyToAddress(key.PublicKey)); err != nil || nonce != 0 {
		t.Errorf("%d transactions were sent all the same (%v)", nonce, err)
	}
}

// What the constructor refuses must fail before anything else is sent.
func TestARefusedConstructorEndsTheDeployment(t *testing.T) {
	chain, key := start(t)
	profile := deploy.Anvil()
	profile.Provider.MinDeadline = big.NewInt(1 << 35)
	_, err := deploy.Run(t.Context(), chain, opts(t, chain, key), deploy.Plan{Profile: profile, Operators: operators, Threshold: 1})
	if err == nil || !strings.Contains(err.Error(), "deploying EstuaryProvider") {
		t.Errorf("got %v", err)
	}
}

func TestCancelledDeploymentStops(t *testing.T) {
	chain, key := start(t)
	chain.mine = func() {} // nothing is ever mined
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := deploy.Run(ctx, chain, opts(t, chain, key), deploy.Plan{Profile: deploy.Anvil(), Operators: operators, Threshold: 1}); ctx.Err() == nil || err == nil {
		t.Errorf("got %v", err)
	}
}

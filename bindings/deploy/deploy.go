// Package deploy puts the suite of contracts on a chain and configures it:
// EstuaryProvider with its operators and prices, EstuaryPinning, DealStatusOracle,
// PerpetualStorage with its gate, registry and pools, DataDAO with its factory, the libraries
// of these, and on request the samples. It works on any chain with an Ethereum RPC, mined by time or on
// demand, and imports nothing of Tidegate but the bindings.
//
// Map:
//
//	deploy.go   Run, Plan, Deployment
//	storage.go  the contracts of perpetual storage, and linking them
//	dao.go      DataDAO, linked, and its factory
//	profile.go  the parameters of each network
package deploy

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/pinnednote"
	"github.com/tidegate/tidegate/bindings/revertingnote"
)

// Actions whose prices a deployment sets, numbered as in IExecutionProvider.
const (
	actionPin     = 1
	actionUnpin   = 2
	actionPrepare = 3
	actionServed  = 4
	actionStatus  = 5
)

// Backend is what a deployment needs of a chain; *ethclient.Client is one.
type Backend interface {
	bind.ContractBackend
	TransactionReceipt(ctx context.Context, tx common.Hash) (*types.Receipt, error)
	ChainID(ctx context.Context) (*big.Int, error)
}

// Plan says what to deploy.
type Plan struct {
	Profile   Profile
	Operators []common.Address // may sign reports; any order, no doubles
	Threshold uint8            // signatures a report needs
	Samples   bool             // PinnedNote and RevertingNote too
	// PieceURL is where providers fetch pieces of deals that name no endpoint of
	// their own: the operators' public port, ending in "/piece/". Empty: there is none.
	PieceURL string
	// Said is told each step; nil for silence.
	Said func(format string, args ...any)
}

// Deployment is what was put on chain.
type Deployment = bindings.Deployment

// ErrNoCode is returned when a deployment was mined and left no code.
var ErrNoCode = errors.New("no code after deployment")

// Run deploys and configures. The deployer, opts.From, owns the contracts.
// Nothing is undone when it fails halfway: what was deployed stays, unused.
func Run(ctx context.Context, b Backend, opts *bind.TransactOpts, p Plan) (Deployment, error) {
	if p.Said == nil {
		p.Said = func(string, ...any) {}
	}
	operators := slices.Clone(p.Operators)
	slices.SortFunc(operators, func(a, b common.Address) int { return a.Cmp(b) })
	if len(operators) == 0 || int(p.Threshold) > len(operators) || p.Threshold == 0 {
		return Deployment{}, fmt.Errorf("a threshold of %d needs at least so many operators, and not 0: %d are given", p.Threshold, len(operators))
	}
	id, err := b.ChainID(ctx)
	if err != nil {
		return Deployment{}, fmt.Errorf("asking for the chain id: %w", err)
	}
	nonce, err := b.PendingNonceAt(ctx, opts.From)
	if err != nil {
		return Deployment{}, fmt.Errorf("asking for the deployer's nonce: %w", err)
	}
	head, err := b.HeaderByNumber(ctx, nil)
	if err != nil {
		return Deployment{}, fmt.Errorf("asking for the newest block: %w", err)
	}
	r := &run{ctx: ctx, b: b, opts: opts, said: p.Said, nonce: nonce, most: head.GasLimit / 2, made: Deployment{ChainID: id.Uint64(), Contracts: map[string]common.Address{}}}
	if err := r.provider(p, operators); err != nil {
		return Deployment{}, err
	}
	if err := r.consumers(p); err != nil {
		return Deployment{}, err
	}
	if err := r.piecePrices(p.Profile); err != nil {
		return Deployment{}, err
	}
	if err := r.status(); err != nil {
		return Deployment{}, err
	}
	if err := r.storage(p); err != nil {
		return Deployment{}, err
	}
	if err := r.daos(p.Profile); err != nil {
		return Deployment{}, err
	}
	if err := r.pools(); err != nil {
		return Deployment{}, err
	}
	if err := r.desk(p.Profile); err != nil {
		return Deployment{}, err
	}
	if err := r.settle(); err != nil {
		return Deployment{}, err
	}
	return r.made, nil
}

// run is one deployment under way. Transactions are sent one behind the other and
// waited for together (settle), where the next one needs what they do: an epoch
// of Filecoin lasts 30 seconds.
type run struct {
	ctx   context.Context
	b     Backend
	opts  *bind.TransactOpts
	said  func(string, ...any)
	made  Deployment
	nonce uint64 // of the next transaction
	sent  []sent
	// gas is what sent may use, at most the half of a block: some nodes drop what
	// follows a transaction that no longer fits.
	gas, most uint64
	// foreseen is where PerpetualStorage will be, which EstuaryPinning has to know
	// before.
	foreseen common.Address
}

func (r *run) provider(p Plan, operators []common.Address) error {
	c := estuaryprovider.NewEstuaryProvider()
	address, err := r.deploy(bindings.EstuaryProvider, &estuaryprovider.EstuaryProviderMetaData,
		c.PackConstructor(p.Profile.Provider, r.opts.From, operators, p.Threshold, p.Profile.GasPriceCap))
	if err != nil {
		return err
	}
	if err := r.settle(); err != nil { // constructors ask it
		return err
	}
	at := c.Instance(r.b, address)
	if err := r.prices(address, map[uint16]estuaryprovider.Price{actionPin: p.Profile.Pin, actionUnpin: p.Profile.Unpin}); err != nil {
		return err
	}
	digest, err := bind.Call(at, &bind.CallOpts{Context: r.ctx}, c.PackConfigDigest(), c.UnpackConfigDigest)
	if err != nil {
		return fmt.Errorf("reading the configuration's digest: %w", err)
	}
	r.made.ConfigDigest = digest
	return nil
}

// prices offers actions.
func (r *run) prices(provider common.Address, of map[uint16]estuaryprovider.Price) error {
	c := estuaryprovider.NewEstuaryProvider()
	at := c.Instance(r.b, provider)
	for action, price := range of {
		if err := r.call(fmt.Sprintf("setting the price of action %d", action), at, c.PackSetPrice(action, price)); err != nil {
			return err
		}
	}
	return nil
}

// piecePrices offers what came after the first actions. It comes late, so that
// the addresses on a development chain, which follow from nonces, stay what they were.
func (r *run) piecePrices(p Profile) error {
	return r.prices(r.made.Contracts["EstuaryProvider"], map[uint16]estuaryprovider.Price{actionPrepare: p.Prepare, actionServed: p.Served})
}

// status deploys the oracle of deals, whose operators are the provider's.
func (r *run) status() error {
	_, err := r.deploy("DealStatusOracle", &dealstatusoracle.DealStatusOracleMetaData,
		dealstatusoracle.NewDealStatusOracle().PackConstructor(r.made.Contracts["EstuaryProvider"]))
	return err
}

func (r *run) consumers(p Plan) error {
	provider := r.made.Contracts["EstuaryProvider"]
	r.foresee(p)
	if _, err := r.deploy("EstuaryPinning", &estuarypinning.EstuaryPinningMetaData,
		estuarypinning.NewEstuaryPinning().PackConstructor(provider, p.Profile.Pinning, r.foreseen)); err != nil {
		return err
	}
	if !p.Samples {
		return nil
	}
	if _, err := r.deploy("PinnedNote", &pinnednote.PinnedNoteMetaData,
		pinnednote.NewPinnedNote().PackConstructor(provider, p.Profile.SampleGas)); err != nil {
		return err
	}
	_, err := r.deploy("RevertingNote", &revertingnote.RevertingNoteMetaData,
		revertingnote.NewRevertingNote().PackConstructor(provider, p.Profile.SampleGas))
	return err
}

// sent is a transaction that is not known to be mined.
type sent struct {
	what     string // for errors
	tx       common.Hash
	name     string // of the contract that it creates, if it does
	contract common.Address
}

// deploy sends a contract's creation, linked to the libraries deployed before.
func (r *run) deploy(name string, meta *bind.MetaData, constructor []byte) (common.Address, error) {
	what := "deploying " + name
	code, err := bindings.Link(meta.Bin, r.libraries())
	if err != nil {
		return common.Address{}, fmt.Errorf("%s: %w", what, err)
	}
	at, tx, err := bind.DeployContract(r.next(), common.FromHex(code), r.b, constructor)
	if err != nil {
		return common.Address{}, fmt.Errorf("%s: %w", what, err)
	}
	r.made.Contracts[name] = at
	return at, r.note(tx, sent{what: what, name: name, contract: at})
}

// call sends a call of a contract.
func (r *run) call(what string, at *bind.BoundContract, data []byte) error {
	tx, err := bind.Transact(at, r.next(), data)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return r.note(tx, sent{what: what})
}

func (r *run) note(tx *types.Transaction, s sent) error {
	s.tx = tx.Hash()
	r.sent = append(r.sent, s)
	r.nonce++
	if r.gas += tx.Gas(); r.gas > r.most {
		return r.settle()
	}
	return nil
}

// settle waits until all that was sent is mined, succeeded and left its code.
func (r *run) settle() error {
	for _, s := range r.sent {
		receipt, err := r.mined(s.tx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		if r.made.StartBlock == 0 {
			r.made.StartBlock = receipt.BlockNumber.Uint64()
		}
		if s.name == "" {
			continue
		}
		if err := r.coded(s.contract); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		r.said("%s at %s, %d gas", s.name, s.contract, receipt.GasUsed)
	}
	r.sent, r.gas = nil, 0
	return nil
}

func (r *run) next() *bind.TransactOpts {
	opts := *r.opts
	opts.Context, opts.Nonce = r.ctx, new(big.Int).SetUint64(r.nonce)
	return &opts
}

// poll is how often a chain is asked for what is to come, and patience how many
// failed answers in a row are borne.
const (
	poll     = 100 * time.Millisecond
	patience = 50
)

// mined waits for a transaction's success.
func (r *run) mined(tx common.Hash) (*types.Receipt, error) {
	var receipt *types.Receipt
	err := r.await(func() (bool, error) {
		var err error
		receipt, err = r.b.TransactionReceipt(r.ctx, tx)
		if errors.Is(err, ethereum.NotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for transaction %s: %w", tx, err)
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return nil, fmt.Errorf("transaction %s reverted in block %s", tx, receipt.BlockNumber)
	}
	return receipt, nil
}

// coded waits for a contract's code. Where the state of a block is known one
// block after its receipts, as on Lotus, it is not there at once.
func (r *run) coded(at common.Address) error {
	tries := 0
	return r.await(func() (bool, error) {
		code, err := r.b.CodeAt(r.ctx, at, nil)
		if err == nil && len(code) == 0 {
			if tries++; tries > codeTries {
				return true, fmt.Errorf("%w at %s", ErrNoCode, at)
			}
			return false, nil
		}
		return err == nil, err
	})
}

// codeTries bounds how long code may be missing: two minutes, four epochs.
const codeTries = int(2 * time.Minute / poll)

// await asks until ask is done or its error final: one it returns as done, or
// one that does not pass.
func (r *run) await(ask func() (done bool, err error)) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for failures := 0; ; {
		done, err := ask()
		if done {
			return err
		}
		if err == nil {
			failures = 0
		} else if failures++; failures >= patience {
			return fmt.Errorf("%d answers in a row failed, the last: %w", failures, err)
		}
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return errors.Join(r.ctx.Err(), err)
		}
	}
}

// OnDevnet puts the whole suite, samples included, on a development chain.
func OnDevnet(ctx context.Context, b Backend, deployer *ecdsa.PrivateKey, operator common.Address) (Deployment, error) {
	id, err := b.ChainID(ctx)
	if err != nil {
		return Deployment{}, fmt.Errorf("asking for the chain id: %w", err)
	}
	opts := bind.NewKeyedTransactor(deployer, id)
	return Run(ctx, b, opts, Plan{
		Profile: Devnet(), Operators: []common.Address{operator}, Threshold: 1, Samples: true,
		PieceURL: "http://127.0.0.1:4782/piece/",
	})
}

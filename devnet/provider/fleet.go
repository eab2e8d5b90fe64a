package provider

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// ErrNoMiner is returned for a miner that the fleet did not create.
var ErrNoMiner = errors.New("the fleet has no such miner")

// Config says how a fleet behaves. The zero value is valid.
type Config struct {
	// Seed decides the keys of owners and workers, replicas and proofs.
	Seed [32]byte
	// Log gets what miners do by themselves; nil discards.
	Log *slog.Logger
}

// Fleet is the providers of one chain. Its methods may be called at the same time.
type Fleet struct {
	chain *chain.Chain
	seed  [32]byte
	log   *slog.Logger
	bank  chain.Account // pays for new accounts: the owner of the chain's producer

	sending sync.Mutex // from choosing a nonce to having pushed the message

	mu      sync.Mutex // never held while the chain is called
	miners  []*Miner
	lastKey uint64
	empty   map[deadlineKey]bool // deadlines known to have nothing to prove
}

// New makes a fleet without miners and joins it to the chain.
func New(ctx context.Context, c *chain.Chain, config Config) (*Fleet, error) {
	f := newFleet(c, config)
	return f, f.join(ctx)
}

func newFleet(c *chain.Chain, config Config) *Fleet {
	_, bank := c.Miner()
	f := &Fleet{chain: c, seed: config.Seed, log: config.Log, bank: bank, empty: map[deadlineKey]bool{}}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	return f
}

func (f *Fleet) join(ctx context.Context) error {
	if err := f.chain.Join(ctx, crew{f}); err != nil {
		return fmt.Errorf("storage providers: %w", err)
	}
	return nil
}

// Miners are those created so far, in order.
func (f *Fleet) Miners() []*Miner {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.miners)
}

// Miner finds a miner by its id address. Errors: ErrNoMiner.
func (f *Fleet) Miner(id address.Address) (*Miner, error) {
	for _, m := range f.Miners() {
		if m.id == id {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", id, ErrNoMiner)
}

// Account makes a key from the seed and gives its address money, by which it gets an
// account. The kind is chain.Secp256k1 or chain.BLS.
func (f *Fleet) Account(ctx context.Context, kind chain.AccountKind, funds abi.TokenAmount) (chain.Account, error) {
	sigType := crypto.SigTypeSecp256k1
	if kind == chain.BLS {
		sigType = crypto.SigTypeBLS
	} else if kind != chain.Secp256k1 {
		return chain.Account{}, fmt.Errorf("an account of kind %q sends no Filecoin messages: give %s or %s", kind, chain.Secp256k1, chain.BLS)
	}
	f.mu.Lock()
	f.lastKey++
	number := f.lastKey
	f.mu.Unlock()
	key, err := sig.GenerateKey(sigType, blake2b.Sum256(append([]byte("storage providers"), f.seed[:]...)), number)
	if err != nil {
		return chain.Account{}, fmt.Errorf("new %s account: %w", kind, err)
	}
	if _, err := f.Send(ctx, f.bank, Call{To: key.Address(), Value: funds}); err != nil {
		return chain.Account{}, fmt.Errorf("fund %s: %w", key.Address(), err)
	}
	id, err := f.chain.Resolve(ctx, key.Address(), nil)
	if err != nil {
		return chain.Account{}, err
	}
	return chain.Account{Kind: kind, Address: key.Address(), ID: id, Balance: funds, Key: key}, nil
}

// state is a state to read: the head's, or the one a tipset is built on.
type state interface {
	Actor(ctx context.Context, addr address.Address) (*types.Actor, error)
	Store() fvm.Blockstore
}

// atHead reads the state after the chain's head.
type atHead struct{ *chain.Chain }

func (h atHead) Actor(ctx context.Context, addr address.Address) (*types.Actor, error) {
	return h.Chain.Actor(ctx, addr, nil)
}

// load reads an actor's state.
func load(ctx context.Context, s state, addr address.Address, into cbg.CBORUnmarshaler) (adt18.Store, error) {
	store := adt18.WrapStore(ctx, fvm.CBORStore(s.Store()))
	actor, err := s.Actor(ctx, addr)
	if err != nil {
		return store, err
	}
	if err := store.Get(ctx, actor.Head, into); err != nil {
		return store, fmt.Errorf("state of %s: %w", addr, err)
	}
	return store, nil
}

// bytesFor are bytes from the seed for a purpose: replicas and proofs.
func (f *Fleet) bytesFor(size int, purpose string, numbers ...uint64) []byte {
	xof, err := blake2b.NewXOF(uint32(size), f.seed[:])
	if err != nil {
		panic(fmt.Sprintf("provider: blake2b with a key of 32 bytes: %v", err))
	}
	_, _ = xof.Write([]byte(purpose)) // the hash never fails to write
	for _, n := range numbers {
		_, _ = xof.Write(binary.BigEndian.AppendUint64(nil, n))
	}
	out := make([]byte, size)
	_, _ = xof.Read(out) // nor to read what was asked for
	return out
}

// Fil is whole FIL in attoFIL.
func Fil(n int64) abi.TokenAmount { return big.Mul(big.NewInt(n), big.NewInt(1e18)) }

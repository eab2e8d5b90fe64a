package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/oracle/chain"
)

const (
	chainID = 31415926
	epoch   = 10 * time.Second
	depth   = 6 // blocks behind the head that are final
)

var (
	provider = common.HexToAddress("0x1000000000000000000000000000000000000001")
	consumer = common.HexToAddress("0x2000000000000000000000000000000000000002")
	contract = estuaryprovider.NewEstuaryProvider()
	rules    = types.LatestSignerForChainID(big.NewInt(chainID))
	pinArgs  = func() abi.Arguments {
		t, err := abi.NewType("tuple", "", []abi.ArgumentMarshaling{
			{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "maxBytes", Type: "uint64"},
			{Name: "expiry", Type: "uint40"}, {Name: "origins", Type: "string[]"}, {Name: "name", Type: "string"},
		})
		if err != nil {
			panic(err)
		}
		return abi.Arguments{{Name: "payload", Type: t}}
	}()
)

// state is the contract after a block; blocks share it until it changes.
type state struct {
	seq    uint64
	open   map[common.Hash]uint8 // 1 open, 3 answered
	nonces map[common.Address]uint64
}

func (s *state) clone() *state {
	return &state{s.seq, maps.Clone(s.open), maps.Clone(s.nonces)}
}

// block is a tipset that was executed.
type block struct {
	chain.Block
	asks  []uint64 // wallets' transactions, by number
	txs   []*types.Transaction
	logs  []chain.Log
	after *state
}

// theChain is what is true.
type theChain struct {
	mu     sync.Mutex
	blocks []*block // canonical, ascending
	byHash map[common.Hash]*block
	next   uint64
	salt   uint64
	final  uint64
	gone   []uint64                      // wallets' transactions that wait to be in a block
	pool   map[uint64]*types.Transaction // the sender's, by nonce
	seen   map[uint64]map[string]bool    // effects that were broadcast, by nonce
	start  time.Time
	asked  uint64
	fault  error
}

func newChain(start time.Time) *theChain {
	c := &theChain{byHash: map[common.Hash]*block{}, pool: map[uint64]*types.Transaction{}, seen: map[uint64]map[string]bool{}, start: start}
	c.mine(nil)
	return c
}

func (c *theChain) head() *block { return c.blocks[len(c.blocks)-1] }

func (c *theChain) at(h uint64) *block {
	for i := len(c.blocks) - 1; i >= 0 && c.blocks[i].Height >= h; i-- {
		if c.blocks[i].Height == h {
			return c.blocks[i]
		}
	}
	return nil
}

// finalBlock is the newest final one.
func (c *theChain) finalBlock() *block {
	for i := len(c.blocks) - 1; i >= 0; i-- {
		if c.blocks[i].Height <= c.final {
			return c.blocks[i]
		}
	}
	return c.blocks[0]
}

// mine makes a block with these wallets' transactions and what of the pool may go in.
func (c *theChain) mine(asks []uint64) {
	c.salt++
	b := &block{Block: chain.Block{Height: c.next, Time: c.start.Add(time.Duration(c.next) * epoch)}, asks: asks}
	b.after = &state{open: map[common.Hash]uint8{}, nonces: map[common.Address]uint64{}}
	if len(c.blocks) > 0 {
		b.Parent, b.after = c.head().Hash, c.head().after.clone()
	}
	var salt [16]byte
	binary.BigEndian.PutUint64(salt[:], c.salt)
	binary.BigEndian.PutUint64(salt[8:], c.next)
	b.Hash = crypto.Keccak256Hash(salt[:], b.Parent[:])
	for _, n := range asks {
		c.ask(b, n)
	}
	c.include(b)
	c.blocks, c.byHash[b.Hash], c.next = append(c.blocks, b), b, c.next+1
	if n := len(c.blocks); n > depth {
		c.final = max(c.final, c.blocks[n-1-depth].Height)
	}
}

// include executes the sender's transactions whose turn it is.
func (c *theChain) include(b *block) {
	for {
		var tx *types.Transaction
		for _, t := range c.pool {
			from, err := types.Sender(rules, t)
			if err == nil && t.Nonce() == b.after.nonces[from] {
				tx = t
				b.after.nonces[from]++
				break
			}
		}
		if tx == nil {
			return
		}
		delete(c.pool, tx.Nonce())
		b.txs = append(b.txs, tx)
		if len(tx.Data()) > 0 {
			c.fulfill(b, tx)
		}
	}
}

func (b *block) emit(tx common.Hash, name string, topics []common.Hash, values ...any) error {
	spec := contract.GetABI().Events[name]
	data, err := spec.Inputs.NonIndexed().Pack(values...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.logs = append(b.logs, chain.Log{
		Height: b.Height, Block: b.Hash, Index: uint(len(b.logs)), Tx: tx, TxIndex: uint(len(b.logs)), Address: provider,
		Topics: append([]common.Hash{spec.ID}, topics...), Data: data,
	})
	return nil
}

// ask executes a wallet's request.
func (c *theChain) ask(b *block, n uint64) {
	cid := append([]byte{0x01, 0x55, 0x12, 0x20}, crypto.Keccak256(binary.BigEndian.AppendUint64(nil, n))...)
	payload, err := pinArgs.Pack(struct {
		Cid       []byte
		Requester common.Address
		MaxBytes  uint64
		Expiry    *big.Int
		Origins   []string
		Name      string
	}{cid, consumer, 1 << 20, new(big.Int), []string{}, fmt.Sprint(n)})
	if err != nil {
		c.fault = errors.Join(c.fault, err)
		return
	}
	terms := estuaryprovider.Terms{
		Seq: b.after.seq, Consumer: consumer, Action: 1, Deadline: big.NewInt(c.start.Add(1000 * time.Hour).Unix()),
		AttemptUntil: big.NewInt(b.Time.Add(time.Hour).Unix()), RefundTo: consumer, Fee: big.NewInt(1), AttemptFee: new(big.Int),
		PayloadHash: crypto.Keccak256Hash(payload), ContextHash: crypto.Keccak256Hash(nil),
	}
	id := idOf(terms)
	b.after.seq++
	b.after.open[id] = 1
	tx := crypto.Keccak256Hash([]byte("ask"), binary.BigEndian.AppendUint64(nil, n))
	err = b.emit(tx, "OracleRequested", []common.Hash{id, common.BytesToHash(consumer[:]), common.BigToHash(big.NewInt(1))}, terms, payload, []byte{})
	c.fault = errors.Join(c.fault, err)
}

func idOf(t estuaryprovider.Terms) common.Hash {
	enc := contract.PackIdOf(t)[4:]
	return crypto.Keccak256Hash(common.BigToHash(big.NewInt(chainID)).Bytes(), common.BytesToHash(provider[:]).Bytes(), enc)
}

// fulfill executes a batch of answers.
func (c *theChain) fulfill(b *block, tx *types.Transaction) {
	abi := contract.GetABI()
	values, err := abi.Methods["fulfill"].Inputs.Unpack(tx.Data()[4:])
	if err != nil {
		c.fault = errors.Join(c.fault, err)
		return
	}
	var in struct {
		ConfigDigest [32]byte
		Reports      []estuaryprovider.Report
		Signatures   [][]byte
	}
	if err := abi.Methods["fulfill"].Inputs.Copy(&in, values); err != nil {
		c.fault = errors.Join(c.fault, err)
		return
	}
	for _, r := range in.Reports {
		id := idOf(r.Terms)
		if b.after.open[id] != 1 {
			continue // skipped: says so without a seq
		}
		b.after.open[id] = 3
		topics, values := answered(abi, b.after.seq, id, r)
		b.after.seq++
		c.fault = errors.Join(c.fault, b.emit(tx.Hash(), "OracleAnswered", topics, values...))
	}
}

// answered gives the topics and values of OracleAnswered as the ABI orders them.
func answered(spec abi.ABI, seq uint64, id common.Hash, r estuaryprovider.Report) ([]common.Hash, []any) {
	var topics []common.Hash
	var values []any
	for _, in := range spec.Events["OracleAnswered"].Inputs {
		var v any
		switch in.Name {
		case "requestId":
			v = [32]byte(id)
		case "seq":
			v = seq
		case "outcome":
			v = r.Outcome
		case "reason":
			v = r.Reason
		case "result":
			v = r.Result
		default:
			v = zero(in.Type)
		}
		if !in.Indexed {
			values = append(values, v)
			continue
		}
		topics = append(topics, topicOf(v))
	}
	return topics, values
}

func topicOf(v any) common.Hash {
	switch v := v.(type) {
	case [32]byte:
		return v
	case common.Address:
		return common.BytesToHash(v[:])
	case uint64:
		return common.BigToHash(new(big.Int).SetUint64(v))
	case uint8:
		return common.BigToHash(new(big.Int).SetUint64(uint64(v)))
	}
	return common.Hash{}
}

// zero is the zero value of an ABI type that the simulation does not use.
func zero(t abi.Type) any {
	switch t.T {
	case abi.AddressTy:
		return common.Address{}
	case abi.BoolTy:
		return false
	case abi.UintTy:
		switch t.Size {
		case 8:
			return uint8(0)
		case 16:
			return uint16(0)
		case 32:
			return uint32(0)
		case 64:
			return uint64(0)
		}
		return new(big.Int)
	case abi.FixedBytesTy:
		return [32]byte{}
	}
	return []byte{}
}

// reorg drops the newest n blocks; what they held waits to be in a block again, but
// for what lose says.
func (c *theChain) reorg(n int, lose func() bool) {
	cut := len(c.blocks) - n
	for _, b := range c.blocks[cut:] {
		for _, a := range b.asks {
			if !lose() {
				c.gone = append(c.gone, a)
			}
		}
		for _, tx := range b.txs {
			if !lose() {
				c.pool[tx.Nonce()] = tx
			}
		}
	}
	c.blocks = c.blocks[:cut:cut]
	c.next = c.head().Height + 1
}

// admit takes a transaction into the pool.
func (c *theChain) admit(tx *types.Transaction) error {
	from, err := types.Sender(rules, tx)
	if err != nil {
		return err
	}
	if next := c.head().after.nonces[from]; tx.Nonce() < next {
		return fmt.Errorf("nonce too low: next nonce %d, tx nonce %d", next, tx.Nonce())
	}
	if old := c.pool[tx.Nonce()]; old != nil {
		if old.Hash() == tx.Hash() {
			return errors.New("already known")
		}
		if tx.GasTipCap().Cmp(new(big.Int).Div(new(big.Int).Mul(old.GasTipCap(), big.NewInt(125)), big.NewInt(100))) < 0 {
			return errors.New("replacement transaction underpriced")
		}
	}
	if len(tx.Data()) > 0 {
		if c.seen[tx.Nonce()] == nil {
			c.seen[tx.Nonce()] = map[string]bool{}
		}
		c.seen[tx.Nonce()][string(tx.Data())] = true
	}
	c.pool[tx.Nonce()] = tx
	return nil
}

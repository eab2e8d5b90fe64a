package market

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/datadao"
)

// Actions of proposals, as IDataDAO.CidAction numbers them.
const (
	DAOAdd uint8 = iota
	DAORemove
	DAORenew
	DAOStore
	DAORenewStorage
	DAOChangeBounty
	DAOChangeReplicas
)

// carried is what the data of a proposal says about money and time.
type carried struct {
	amount *big.Int // what a deal is given, attoFIL
	stores bool     // it makes a deal
	expiry *big.Int // of the pin; 0 for the usual term
}

// readData reads the data of a proposal. Data that says nothing, or cannot be read, gives
// nothing and stores nothing: the DAO takes none that it cannot read.
func readData(action uint8, data []byte) carried {
	c := carried{amount: new(big.Int), expiry: new(big.Int)}
	store := data
	switch action {
	case DAORenew:
		c.expiry.SetBytes(data)
		return c
	case DAORenewStorage:
		if amount, _, err := daodata.UnpackRenewStorage(data); err == nil {
			c.amount = amount
		}
		return c
	case DAOAdd:
		add, err := daodata.UnpackAdd(data)
		if err != nil {
			return c
		}
		c.expiry, store = add.Expiry, add.Store
	case DAOStore:
	default:
		return c
	}
	if s, err := daodata.UnpackStore(store); err == nil {
		c.amount, c.stores = s.Amount, true
	}
	return c
}

// isPiece reports whether a CID is of a piece, as PackedCid.isPiece does.
func isPiece(cid []byte) bool {
	return bytes.HasPrefix(cid, []byte{0x01, 0x55, 0x91, 0x20}) || bytes.HasPrefix(cid, []byte{0x01, 0x81, 0xe2, 0x03, 0x92, 0x20, 0x20})
}

// Logs reads events and headers of a chain; an ethclient does.
type Logs interface {
	FilterLogs(ctx context.Context, q ethereum.FilterQuery) ([]types.Log, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error)
}

// searched bounds one question for logs: Lotus takes 2,880 epochs at most.
const searched = 2880

// Drafts finds what proposals of a DAO were made with, in the events that made them. What
// was read is not read again. It is for one goroutine. The DAO compares data with its
// hash, so that a wrong answer of the endpoint can do no more than fail.
type Drafts struct {
	logs Logs
	at   common.Address
	abi  *datadao.DataDAO
	from uint64 // blocks from..to-1 were read
	to   uint64
	made map[uint64]*datadao.DataDAOProposalCreated
}

// NewDrafts is for the DAO at an address.
func NewDrafts(logs Logs, dao common.Address) *Drafts {
	return &Drafts{logs: logs, at: dao, abi: datadao.NewDataDAO(), made: map[uint64]*datadao.DataDAOProposalCreated{}}
}

// Find gives the event that made a proposal, looking back from a height to the time at
// which it was made.
func (d *Drafts) Find(ctx context.Context, id, head uint64, proposed time.Time) (*datadao.DataDAOProposalCreated, error) {
	if d.to == 0 {
		d.from, d.to = head+1, head+1
	}
	for d.made[id] == nil && d.to <= head {
		end := min(d.to+searched, head+1)
		if err := d.read(ctx, d.to, end); err != nil {
			return nil, err
		}
		d.to = end
	}
	// Epochs may be null, so the time is asked for generously.
	for d.made[id] == nil && d.from > 0 && !d.before(ctx, d.from, proposed) {
		start := d.from - min(searched, d.from)
		if err := d.read(ctx, start, d.from); err != nil {
			return nil, err
		}
		d.from = start
	}
	if e := d.made[id]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("the endpoint has no event that made proposal %d of %s", id, d.at)
}

// read reads blocks from..end-1.
func (d *Drafts) read(ctx context.Context, from, end uint64) error {
	logs, err := d.logs.FilterLogs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(end - 1), Addresses: []common.Address{d.at},
		Topics: [][]common.Hash{{d.abi.GetABI().Events[datadao.DataDAOProposalCreatedEventName].ID}},
	})
	if err != nil {
		return fmt.Errorf("looking for the proposals of %s: %w", d.at, err)
	}
	for i := range logs {
		if e, err := d.abi.UnpackProposalCreatedEvent(&logs[i]); err == nil {
			d.made[e.ProposalId.Uint64()] = e
		}
	}
	return nil
}

// before reports whether a height is surely older than a moment. Where the endpoint
// does not say (null rounds, a block to come), it is not sure.
func (d *Drafts) before(ctx context.Context, height uint64, t time.Time) bool {
	h, err := d.logs.HeaderByNumber(ctx, new(big.Int).SetUint64(height))
	return err == nil && time.Unix(int64(h.Time), 0).Before(t)
}

package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/datadaofactory"
)

// tipOf is what whoever executes a proposal at a height is sent, as DaoTreasury.tip has
// it: the DAO's tip, as far as budget, treasury and cap leave it after all else was paid.
func (d *DAO) tipOf(ctx context.Context, height uint64, p DAOProposal, data []byte) (*big.Int, error) {
	if p.Budget.Sign() == 0 {
		return new(big.Int), nil
	}
	if d.tip == nil {
		params, err := ask(ctx, d, d.at, height, d.abi.PackParams(), d.abi.UnpackParams)
		if err != nil {
			return nil, err
		}
		d.tip = params.Tip // never changes
	}
	if d.tip.Sign() == 0 {
		return d.tip, nil
	}
	price, err := d.price(ctx, height, p, data)
	if err != nil {
		return nil, err
	}
	has, err := ask(ctx, d, d.at, height, d.abi.PackTreasury(), d.abi.UnpackTreasury)
	if err != nil {
		return nil, err
	}
	may, err := ask(ctx, d, d.at, height, d.abi.PackSpendable(), d.abi.UnpackSpendable)
	if err != nil {
		return nil, err
	}
	tip := d.tip
	for _, most := range []*big.Int{p.Budget, has, may} {
		if left := new(big.Int).Sub(most, price); left.Cmp(tip) < 0 {
			tip = left
		}
	}
	if tip.Sign() < 0 {
		tip = new(big.Int)
	}
	return tip, nil
}

// DAOTip is what an executeCIDProposal with this calldata would be tipped at a height.
func DAOTip(ctx context.Context, chain Chain, dao common.Address, call []byte, height uint64) (*big.Int, error) {
	d := NewDAO(chain, nil, dao)
	method := d.abi.GetABI().Methods["executeCIDProposal"]
	if len(call) < 4 || [4]byte(call) != [4]byte(method.ID) {
		return nil, fmt.Errorf("DAO %s: %x is no execution with data", dao, call[:min(len(call), 4)])
	}
	given, err := method.Inputs.Unpack(call[4:])
	if err != nil {
		return nil, fmt.Errorf("DAO %s: reading an execution: %w", dao, err)
	}
	p, err := d.Proposal(ctx, height, given[0].(*big.Int).Uint64())
	if err != nil {
		return nil, err
	}
	return d.tipOf(ctx, height, p, given[1].([]byte))
}

// patrons are the DAOs of a factory that pay whoever executes what they passed. Those that
// are named are kept anyway.
type patrons struct {
	factory common.Address
	abi     *datadaofactory.DataDAOFactory
	named   map[common.Address]bool
	next    uint64 // index of the first DAO that was not looked at
	daos    []*DAO
}

func newPatrons(factory common.Address, named []common.Address) *patrons {
	p := &patrons{factory: factory, abi: datadaofactory.NewDataDAOFactory(), named: map[common.Address]bool{}}
	for _, at := range named {
		p.named[at] = true
	}
	return p
}

// find looks at the DAOs that were made since; a DAO's tip never changes.
func (p *patrons) find(ctx context.Context, chain Chain, logs Logs, height uint64) error {
	f := NewDAO(chain, logs, p.factory) // for its errors
	count, err := ask(ctx, f, p.factory, height, p.abi.PackDaoCount(), p.abi.UnpackDaoCount)
	if err != nil {
		return err
	}
	for ; p.next < count.Uint64(); p.next++ {
		at, err := ask(ctx, f, p.factory, height, p.abi.PackDaoAt(new(big.Int).SetUint64(p.next)), p.abi.UnpackDaoAt)
		if err != nil {
			return err
		}
		d := NewDAO(chain, logs, at)
		params, err := ask(ctx, d, at, height, d.abi.PackParams(), d.abi.UnpackParams)
		if err != nil {
			return err
		}
		d.tip = params.Tip
		if d.tip.Sign() > 0 && !p.named[at] {
			p.daos = append(p.daos, d)
		}
	}
	return nil
}

// due lists executions for which there is a tip; whether it pays for them is seen when they
// are priced. Whatever else a DAO needs is for those to do who have something of it.
func (p *patrons) due(ctx context.Context, chain Chain, logs Logs, height uint64) ([]Due, error) {
	var all []Due
	failed := []error{p.find(ctx, chain, logs, height)}
	for _, d := range p.daos {
		due, err := d.Due(ctx, height)
		failed = append(failed, err)
		for _, one := range due {
			if one.Fn == daoExecute && one.Tip.Sign() > 0 {
				one.Pays = true
				all = append(all, one)
			}
		}
	}
	return all, errors.Join(failed...)
}

package market

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	f05 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/executor/job"
)

// Exit codes of f05's getters (actors/market/src/lib.rs; filecoin-fevm.md 2.4).
const (
	exitNotFound    = exitcode.ErrNotFound  // never published
	exitDealExpired = exitcode.ExitCode(32) // gone: terminated, settled after its end, or timed out
)

// DealStatus is what the actors say of a deal or a sector in the state that the tipset at
// an epoch has. A deal that is gone has no term any more by which it could be judged, and that a sector
// holds a piece is not its miner's to say: both are StatusUnknown, the sector with its location.
func (n *Node) DealStatus(ctx context.Context, of job.Status, epoch uint64) (job.StatusFound, error) {
	ts, err := n.api.ChainGetTipSetByHeight(ctx, abi.ChainEpoch(epoch), types.EmptyTSK)
	if err != nil {
		return job.StatusFound{}, fmt.Errorf("asking for the tipset at %d: %w", epoch, err)
	}
	at := inState{n, ts.Key()}
	if of.Miner != 0 {
		found, err := at.sector(ctx, of.Miner, of.Sector)
		found.Status = job.StatusUnknown
		return found, err
	}
	return at.deal(ctx, of.Deal, epoch)
}

// inState calls actors in one state.
type inState struct {
	n  *Node
	at types.TipSetKey
}

// ask calls a getter and decodes what it returns, where it exits with 0.
func (v inState) ask(ctx context.Context, to address.Address, method abi.MethodNum, params cbg.CBORMarshaler, into cbg.CBORUnmarshaler) (exitcode.ExitCode, error) {
	var in bytes.Buffer
	if err := params.MarshalCBOR(&in); err != nil {
		return 0, fmt.Errorf("encoding a question to %s: %w", Text(to), err)
	}
	res, err := v.n.api.StateCall(ctx, &types.Message{
		From: builtin.SystemActorAddr, To: to, Value: filbig.Zero(), Method: method, Params: in.Bytes(), GasFeeCap: filbig.Zero(), GasPremium: filbig.Zero(),
	}, v.at)
	switch {
	case err != nil:
		return 0, fmt.Errorf("asking %s: %w", Text(to), err)
	case res.MsgRct == nil:
		return 0, fmt.Errorf("asking %s: %s", Text(to), exit(res))
	case res.MsgRct.ExitCode.IsError():
		return res.MsgRct.ExitCode, nil
	}
	if err := into.UnmarshalCBOR(bytes.NewReader(res.MsgRct.Return)); err != nil {
		return 0, fmt.Errorf("what %s returns: %w", Text(to), err)
	}
	return exitcode.Ok, nil
}

// deal reads the closed table of IDealStatusOracle.
func (v inState) deal(ctx context.Context, number, epoch uint64) (job.StatusFound, error) {
	id, market := cbg.CborInt(number), builtin.StorageMarketActorAddr
	said := func(s job.ChainStatus, words string) (job.StatusFound, error) {
		return job.StatusFound{Status: s, Words: fmt.Sprintf("f05 deal %d %s", number, words)}, nil
	}
	var term f05.GetDealTermReturn
	code, err := v.ask(ctx, market, builtin.MethodsMarket.GetDealTermExported, &id, &term)
	switch {
	case err != nil:
		return job.StatusFound{}, err
	case code == exitNotFound:
		return said(job.StatusNone, "is not known to f05 (exit code 17)")
	case code == exitDealExpired:
		return said(job.StatusUnknown, "is gone from f05 (exit code 32), and with it its term")
	case code != exitcode.Ok:
		return said(job.StatusUnknown, fmt.Sprintf("makes f05 exit with %d", code))
	}
	var activation f05.GetDealActivationReturn
	code, err = v.ask(ctx, market, builtin.MethodsMarket.GetDealActivationExported, &id, &activation)
	if err != nil || code != exitcode.Ok {
		return job.StatusFound{Status: job.StatusUnknown, Words: fmt.Sprintf("exit code %d", code)}, err
	}
	start, end, now := int64(term.Start), int64(term.Start+term.Duration), int64(epoch)
	switch {
	case activation.Activated < 0 && now > start:
		return said(job.StatusLost, fmt.Sprintf("was not active by its start %d", start))
	case activation.Activated < 0:
		return said(job.StatusPublished, fmt.Sprintf("waits to be activated by epoch %d", start))
	case now >= end:
		return said(job.StatusEnded, fmt.Sprintf("reached its end %d", end))
	}
	return v.health(ctx, number)
}

// health is what an active deal's sector is.
func (v inState) health(ctx context.Context, number uint64) (job.StatusFound, error) {
	id := cbg.CborInt(number)
	var provider, sector cbg.CborInt
	for method, into := range map[abi.MethodNum]*cbg.CborInt{
		builtin.MethodsMarket.GetDealProviderExported: &provider, builtin.MethodsMarket.GetDealSectorExported: &sector,
	} {
		code, err := v.ask(ctx, builtin.StorageMarketActorAddr, method, &id, into)
		if err != nil || code != exitcode.Ok {
			return job.StatusFound{Status: job.StatusUnknown, Words: fmt.Sprintf("exit code %d", code)}, err
		}
	}
	return v.sector(ctx, uint64(provider), uint64(sector))
}

// sector is where a sector is, and what its miner says of it.
func (v inState) sector(ctx context.Context, minerID, number uint64) (job.StatusFound, error) {
	to, err := address.NewIDAddress(minerID)
	if err != nil {
		return job.StatusFound{}, err
	}
	var at miner.GenerateSectorLocationReturn
	code, err := v.ask(ctx, to, methodGenerateSectorLocation, &miner.GenerateSectorLocationParams{SectorNumber: abi.SectorNumber(number)}, &at)
	if err != nil || code != exitcode.Ok {
		return job.StatusFound{Status: job.StatusUnknown, Words: fmt.Sprintf("f0%d exits with %d", minerID, code)}, err
	}
	found := job.StatusFound{Status: job.StatusLost, Location: at.AuxData, Words: fmt.Sprintf("sector %d of f0%d is %s", number, minerID, SectorWords(uint64(at.Status)))}
	switch uint64(at.Status) {
	case SectorActive:
		found.Status = job.StatusActive
	case 2:
		found.Status = job.StatusFaulty
	}
	return found, nil
}

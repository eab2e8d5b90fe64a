package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	"github.com/filecoin-project/go-state-types/dline"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/actors/builtin/miner"
	"github.com/filecoin-project/lotus/chain/actors/builtin/power"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/libp2p/go-libp2p/core/peer"
	cbg "github.com/whyrusleeping/cbor-gen"
)

func (n *node) powerState(ctx context.Context, key types.TipSetKey) (*power18.State, adt18.Store, error) {
	st := new(power18.State)
	store, err := n.actorState(ctx, builtin.StoragePowerActorAddr, key, st)
	return st, store, err
}

func (n *node) minerState(ctx context.Context, addr address.Address, key types.TipSetKey) (*miner18.State, adt18.Store, error) {
	parent, _, err := n.before(key)
	if err != nil {
		return nil, nil, err
	}
	actor, err := n.chain.Actor(ctx, addr, parent)
	if err != nil {
		return nil, nil, fmt.Errorf("failed to load miner actor: %w", err)
	}
	if kind := n.chain.Engine().Name(actor.Code); kind != "storageminer" {
		return nil, nil, fmt.Errorf("failed to load miner actor state: %s is of kind %q", addr, kind)
	}
	st := new(miner18.State)
	store, err := n.actorState(ctx, addr, key, st)
	return st, store, err
}

// again decodes what one actors version encodes as the type of another, whose fields
// are the same.
func again[T any, P interface {
	*T
	cbg.CBORUnmarshaler
}](from cbg.CBORMarshaler) (T, error) {
	var out T
	var encoded bytes.Buffer
	if err := from.MarshalCBOR(&encoded); err != nil {
		return out, err
	}
	return out, P(&out).UnmarshalCBOR(&encoded)
}

// StateMinerInfo is Filecoin.StateMinerInfo.
func (n *node) StateMinerInfo(ctx context.Context, addr address.Address, key types.TipSetKey) (api.MinerInfo, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return api.MinerInfo{}, err
	}
	info, err := st.GetInfo(store)
	if err != nil {
		return api.MinerInfo{}, err
	}
	out := api.MinerInfo{
		Owner: info.Owner, Worker: info.Worker, ControlAddresses: info.ControlAddresses, NewWorker: address.Undef, WorkerChangeEpoch: -1,
		Multiaddrs: info.Multiaddrs, WindowPoStProofType: info.WindowPoStProofType, SectorSize: info.SectorSize,
		WindowPoStPartitionSectors: info.WindowPoStPartitionSectors, ConsensusFaultElapsed: info.ConsensusFaultElapsed,
		PendingOwnerAddress: info.PendingOwnerAddress, Beneficiary: info.Beneficiary,
		BeneficiaryTerm: &miner.BeneficiaryTerm{
			Quota: info.BeneficiaryTerm.Quota, UsedQuota: info.BeneficiaryTerm.UsedQuota, Expiration: info.BeneficiaryTerm.Expiration,
		},
	}
	if p := info.PendingBeneficiaryTerm; p != nil {
		out.PendingBeneficiaryTerm = &miner.PendingBeneficiaryChange{
			NewBeneficiary: p.NewBeneficiary, NewQuota: p.NewQuota, NewExpiration: p.NewExpiration,
			ApprovedByBeneficiary: p.ApprovedByBeneficiary, ApprovedByNominee: p.ApprovedByNominee,
		}
	}
	if p, err := peer.IDFromBytes(info.PeerId); err == nil {
		out.PeerId = &p
	}
	if w := info.PendingWorkerKey; w != nil {
		out.NewWorker, out.WorkerChangeEpoch = w.NewWorker, w.EffectiveAt
	}
	return out, nil
}

// StateMinerPower is Filecoin.StateMinerPower.
func (n *node) StateMinerPower(ctx context.Context, addr address.Address, key types.TipSetKey) (*api.MinerPower, error) {
	st, store, err := n.powerState(ctx, key)
	if err != nil {
		return nil, err
	}
	zero := power.Claim{RawBytePower: big.Zero(), QualityAdjPower: big.Zero()}
	out := &api.MinerPower{MinerPower: zero, TotalPower: power.Claim{RawBytePower: st.TotalRawBytePower, QualityAdjPower: st.TotalQualityAdjPower}}
	if addr == address.Undef {
		return out, nil
	}
	id, err := n.StateLookupID(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	claims, err := adt18.AsMap(store, st.Claims, builtin.DefaultHamtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("load claims: %w", err)
	}
	var claim power18.Claim
	if found, err := claims.Get(abi.AddrKey(id), &claim); err != nil || !found {
		return out, err
	}
	out.MinerPower = power.Claim{RawBytePower: claim.RawBytePower, QualityAdjPower: claim.QualityAdjPower}
	out.HasMinPower, err = st.ClaimMeetsConsensusMinimums(&claim)
	return out, err
}

// StateMinerProvingDeadline is Filecoin.StateMinerProvingDeadline: the deadline that is
// open at the tipset.
func (n *node) StateMinerProvingDeadline(ctx context.Context, addr address.Address, key types.TipSetKey) (*dline.Info, error) {
	ts, err := n.tipset(key)
	if err != nil {
		return nil, err
	}
	st, _, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	return st.RecordedDeadlineInfo(ts.Height()).NextNotElapsed(), nil
}

// StateMinerAvailableBalance is Filecoin.StateMinerAvailableBalance: what is neither
// pledged, deposited, vesting nor owed.
func (n *node) StateMinerAvailableBalance(ctx context.Context, addr address.Address, key types.TipSetKey) (types.BigInt, error) {
	st, _, err := n.minerState(ctx, addr, key)
	if err != nil {
		return big.Zero(), err
	}
	actor, err := n.StateGetActor(ctx, addr, key)
	if err != nil {
		return big.Zero(), err
	}
	left := actor.Balance
	for _, used := range []abi.TokenAmount{st.LockedFunds, st.PreCommitDeposits, st.InitialPledge, st.FeeDebt} {
		left = big.Sub(left, used)
	}
	return left, nil
}

// StateSectorGetInfo is Filecoin.StateSectorGetInfo: null for a sector that is not
// there.
func (n *node) StateSectorGetInfo(ctx context.Context, addr address.Address, number abi.SectorNumber, key types.TipSetKey) (*miner.SectorOnChainInfo, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	info, found, err := st.GetSector(store, number)
	if err != nil || !found {
		return nil, err
	}
	out, err := again[miner.SectorOnChainInfo](info)
	return &out, err
}

// StateMinerSectors is Filecoin.StateMinerSectors: these sectors, or all.
func (n *node) StateMinerSectors(ctx context.Context, addr address.Address, only *bitfield.BitField, key types.TipSetKey) ([]*miner.SectorOnChainInfo, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	sectors, err := miner18.LoadSectors(store, st.Sectors)
	if err != nil {
		return nil, err
	}
	out := []*miner.SectorOnChainInfo{}
	var info miner18.SectorOnChainInfo
	err = sectors.ForEach(&info, func(number int64) error {
		if only != nil {
			if wanted, err := only.IsSet(uint64(number)); err != nil || !wanted {
				return err
			}
		}
		one, err := again[miner.SectorOnChainInfo](&info)
		out = append(out, &one)
		return err
	})
	return out, err
}

// StateSectorPartition is Filecoin.StateSectorPartition.
func (n *node) StateSectorPartition(ctx context.Context, addr address.Address, number abi.SectorNumber, key types.TipSetKey) (*miner.SectorLocation, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	deadline, partition, err := st.FindSector(store, number)
	if err != nil {
		return nil, err
	}
	return &miner.SectorLocation{Deadline: deadline, Partition: partition}, nil
}

// StateSectorExpiration is Filecoin.StateSectorExpiration: when the sector ends, and
// when it is removed before that if it stays faulty.
func (n *node) StateSectorExpiration(ctx context.Context, addr address.Address, number abi.SectorNumber, key types.TipSetKey) (*miner.SectorExpiration, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	deadline, index, err := st.FindSector(store, number)
	if err != nil {
		return nil, err
	}
	partition, err := partitionAt(st, store, deadline, index)
	if err != nil {
		return nil, err
	}
	if dead, err := partition.Terminated.IsSet(uint64(number)); err != nil || dead {
		return nil, errors.Join(err, fmt.Errorf("failed to find sector %d", number))
	}
	queue, err := miner18.LoadExpirationQueue(store, partition.ExpirationsEpochs, st.QuantSpecForDeadline(deadline), miner18.PartitionExpirationAmtBitwidth)
	if err != nil {
		return nil, err
	}
	out := &miner.SectorExpiration{}
	var set miner18.ExpirationSet
	err = queue.ForEach(&set, func(epoch int64) error {
		onTime, err := set.OnTimeSectors.IsSet(uint64(number))
		if err != nil {
			return err
		}
		early, err := set.EarlySectors.IsSet(uint64(number))
		if onTime {
			out.OnTime = abi.ChainEpoch(epoch)
		}
		if early {
			out.Early = abi.ChainEpoch(epoch)
		}
		return err
	})
	return out, err
}

func partitionAt(st *miner18.State, store adt18.Store, deadline, index uint64) (*miner18.Partition, error) {
	all, err := st.LoadDeadlines(store)
	if err != nil {
		return nil, err
	}
	dl, err := all.LoadDeadline(store, deadline)
	if err != nil {
		return nil, err
	}
	partitions, err := adt18.AsArray(store, dl.Partitions, miner18.DeadlinePartitionsAmtBitwidth)
	if err != nil {
		return nil, err
	}
	out := new(miner18.Partition)
	if found, err := partitions.Get(index, out); err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("partition %d of deadline %d is not there", index, deadline))
	}
	return out, nil
}

// StateMinerPartitions is Filecoin.StateMinerPartitions: those of a deadline.
func (n *node) StateMinerPartitions(ctx context.Context, addr address.Address, deadline uint64, key types.TipSetKey) ([]api.Partition, error) {
	st, store, err := n.minerState(ctx, addr, key)
	if err != nil {
		return nil, err
	}
	all, err := st.LoadDeadlines(store)
	if err != nil {
		return nil, err
	}
	dl, err := all.LoadDeadline(store, deadline)
	if err != nil {
		return nil, err
	}
	partitions, err := adt18.AsArray(store, dl.Partitions, miner18.DeadlinePartitionsAmtBitwidth)
	if err != nil {
		return nil, err
	}
	var out []api.Partition
	var p miner18.Partition
	err = partitions.ForEach(&p, func(int64) error {
		live, err := p.LiveSectors()
		if err != nil {
			return err
		}
		active, err := p.ActiveSectors()
		out = append(out, api.Partition{
			AllSectors: p.Sectors, FaultySectors: p.Faults, RecoveringSectors: p.Recoveries, LiveSectors: live, ActiveSectors: active,
		})
		return err
	})
	return out, err
}

// StateMinerFaults is Filecoin.StateMinerFaults.
func (n *node) StateMinerFaults(ctx context.Context, addr address.Address, key types.TipSetKey) (bitfield.BitField, error) {
	return n.union(ctx, addr, key, func(p api.Partition) bitfield.BitField { return p.FaultySectors })
}

// StateMinerRecoveries is Filecoin.StateMinerRecoveries.
func (n *node) StateMinerRecoveries(ctx context.Context, addr address.Address, key types.TipSetKey) (bitfield.BitField, error) {
	return n.union(ctx, addr, key, func(p api.Partition) bitfield.BitField { return p.RecoveringSectors })
}

func (n *node) union(ctx context.Context, addr address.Address, key types.TipSetKey, of func(api.Partition) bitfield.BitField) (bitfield.BitField, error) {
	var sets []bitfield.BitField
	for deadline := range miner18.WPoStPeriodDeadlines {
		partitions, err := n.StateMinerPartitions(ctx, addr, deadline, key)
		if err != nil {
			return bitfield.BitField{}, err
		}
		for _, p := range partitions {
			sets = append(sets, of(p))
		}
	}
	return bitfield.MultiMerge(sets...)
}

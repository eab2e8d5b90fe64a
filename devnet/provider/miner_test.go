package provider_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/provider"
)

func TestMinersOfEveryKindOfOwner(t *testing.T) {
	n := start(t)
	f1, f3 := n.of(chain.Secp256k1, 1), n.of(chain.BLS, 1)
	multisig, err := n.fleet.Multisig(n.ctx, provider.Fil(1), f1, f3)
	n.must(err)
	for _, c := range []struct {
		name     string
		creation provider.Creation
		owner    address.Address // by id
	}{
		{"f1", provider.Creation{Signer: f1}, idAddr(t, f1.ID)},
		{"id", provider.Creation{Owner: idAddr(t, f3.ID), Signer: f3}, idAddr(t, f3.ID)},
		{"multisig", provider.Creation{Owner: multisig, Signer: f3}, multisig},
		{"fresh", provider.Creation{}, address.Undef},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := n.miner(c.creation)
			n.must(m.SetPeer(n.ctx, []byte("peer"), []byte("addr 1"), []byte("addr 2")))
			info, err := m.Info(n.ctx)
			n.must(err)
			if c.owner != address.Undef && info.Owner != c.owner {
				t.Errorf("owner %s, want %s", info.Owner, c.owner)
			}
			if info.Worker != idAddr(t, m.Worker().ID) || m.Worker().Kind != chain.BLS {
				t.Errorf("worker %s, want the BLS account %d", info.Worker, m.Worker().ID)
			}
			if string(info.PeerId) != "peer" || len(info.Multiaddrs) != 2 || string(info.Multiaddrs[1]) != "addr 2" {
				t.Errorf("peer %q at %q", info.PeerId, info.Multiaddrs)
			}
			before, err := n.Actor(n.ctx, info.Owner, nil)
			n.must(err)
			got, err := m.Withdraw(n.ctx, provider.Fil(7))
			n.must(err)
			after, err := n.Actor(n.ctx, info.Owner, nil)
			n.must(err)
			gained := big.Sub(after.Balance, before.Balance) // less gas if the owner paid it
			if !got.Equals(provider.Fil(7)) || gained.LessThan(provider.Fil(6)) || gained.GreaterThan(provider.Fil(7)) {
				t.Errorf("withdrew %s, the owner gained %s, want 7 FIL", got, gained)
			}
			if found, err := n.fleet.Miner(m.Address()); err != nil || found != m {
				t.Errorf("the fleet finds %v, %v", found, err)
			}
		})
	}
	if _, err := n.fleet.Miner(idAddr(t, 99)); !errors.Is(err, provider.ErrNoMiner) {
		t.Errorf("for a stranger: %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	n := start(t)
	for name, c := range map[string]provider.Creation{
		"sectors of 3 KiB":     {SectorSize: 3 << 10},
		"an owner with no key": {Owner: idAddr(t, 100)},
	} {
		if _, err := n.fleet.Create(n.ctx, c); err == nil {
			t.Errorf("made a miner of %s", name)
		}
	}
	if len(n.fleet.Miners()) != 0 {
		t.Errorf("%d miners", len(n.fleet.Miners()))
	}
}

// power is a miner's claim.
func (n *net) power(m *provider.Miner) (raw uint64) {
	n.Helper()
	machine, err := n.Machine(n.ctx, nil, chain.MachineOptions{})
	n.must(err)
	actor, ok, err := machine.Actor(n.ctx, builtin.StoragePowerActorAddr)
	if err != nil || !ok {
		n.Fatal(ok, err)
	}
	var st power18.State
	n.must(fvm.CBORStore(n.Store()).Get(n.ctx, actor.Head, &st))
	return st.TotalBytesCommitted.Uint64()
}

// posts counts the window PoSts of a miner on the chain, and those that failed.
func (n *net) posts(m *provider.Miner) (sent, failed int) {
	n.Helper()
	for ts := n.Head(); ts.Height() > 0; {
		execution, err := n.Execution(ts)
		n.must(err)
		for _, r := range execution.Results {
			msg := r.Message.VMMessage()
			if msg.To == m.Address() && msg.Method == builtin.MethodsMiner.SubmitWindowedPoSt {
				sent++
				if r.Receipt.ExitCode.IsError() {
					failed++
					n.Logf("epoch %d: window post: exit code %d: %s", ts.Height(), r.Receipt.ExitCode, r.Error)
				}
			}
		}
		ts, err = n.TipSet(ts.Parents())
		n.must(err)
	}
	return sent, failed
}

func (n *net) status(m *provider.Miner, sector abi.SectorNumber) abi.SectorStatusCode {
	n.Helper()
	status, _, err := m.Status(n.ctx, sector)
	n.must(err)
	return status
}

func (n *net) wantStatus(m *provider.Miner, want abi.SectorStatusCode, sectors ...abi.SectorNumber) {
	n.Helper()
	for _, s := range sectors {
		if got := n.status(m, s); got != want {
			n.Errorf("epoch %d: sector %d of %s has status %d, want %d", n.Head().Height(), s, m.Address(), got, want)
		}
	}
}

func TestSectorsAreProvenEveryPeriod(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	sectors := n.seal(m, provider.Sector{}, provider.Sector{}, provider.Sector{})
	if power := n.power(m); power != 0 {
		t.Errorf("power %d before the first proof", power)
	}
	n.advance(4 * day)
	n.wantStatus(m, abi.SectorStatusCodeActive, sectors...)
	if power := n.power(m); power != 3*2048 {
		t.Errorf("power %d, want that of three sectors", power)
	}
	deadlines := map[uint64]bool{}
	for _, s := range sectors {
		deadline, _, err := m.Place(n.ctx, s)
		n.must(err)
		deadlines[deadline] = true
	}
	sent, failed := n.posts(m)
	if days := len(deadlines); failed > 0 || sent < 3*days || sent > 5*days {
		t.Errorf("%d proofs, %d failed, in four days for %d deadlines", sent, failed, days)
	}
}

func TestSkippedSectorsFaultRecoverAndDie(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	s := n.seal(m, provider.Sector{}, provider.Sector{}, provider.Sector{})
	n.advance(day + 60)
	m.Skip(s[0], s[1])
	n.advance(day)
	n.wantStatus(m, abi.SectorStatusCodeFaulty, s[0], s[1])
	n.wantStatus(m, abi.SectorStatusCodeActive, s[2])

	n.must(m.Recover(n.ctx, s[0]))
	n.wantStatus(m, abi.SectorStatusCodeFaulty, s[0]) // a declaration is no proof
	n.advance(day + 60)
	n.wantStatus(m, abi.SectorStatusCodeActive, s[0], s[2])
	n.wantStatus(m, abi.SectorStatusCodeFaulty, s[1])
	if power := n.power(m); power != 2*2048 {
		t.Errorf("power %d with one sector of three faulty", power)
	}
	if soak { // TestRefusedProofsFaultAndKill waits in any case
		n.advance(42 * day)
		n.wantStatus(m, abi.SectorStatusCodeDead, s[1])
		n.wantStatus(m, abi.SectorStatusCodeActive, s[0], s[2])
	}
}

// A declaration that is in time for the next block alone, which may be somebody else's, waits
// until the deadline is over.
func TestDeclarationThatOthersMayMakeLateWaits(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	s := n.seal(m, provider.Sector{})[0]
	n.advance(day + 60)
	deadline, _, err := m.Place(n.ctx, s)
	n.must(err)
	st, err := m.State(n.ctx)
	n.must(err)
	before := miner18.WPoStChallengeWindow + miner18.FaultDeclarationCutoff
	next := n.Head().Height() + 1
	end := st.ProvingPeriodStart + abi.ChainEpoch(deadline+1)*miner18.WPoStChallengeWindow
	for end-before-1 <= next {
		end += miner18.WPoStProvingPeriod
	}
	n.advance(end - before - 1 - next)
	n.must(m.DeclareFaulty(n.ctx, s))
	n.wantStatus(m, abi.SectorStatusCodeFaulty, s)
	if head := n.Head().Height(); head <= end {
		t.Errorf("declared by epoch %d, the deadline ends at %d", head, end)
	}
}

func TestMinerThatStopsProvingLosesItsPower(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	s := n.seal(m, provider.Sector{})
	n.advance(day + 60)
	m.StopProving()
	n.advance(day + 60)
	n.wantStatus(m, abi.SectorStatusCodeFaulty, s...)
	if power := n.power(m); power != 0 {
		t.Errorf("power %d", power)
	}
	m.ResumeProving()
	n.must(m.Recover(n.ctx, s...))
	n.advance(day + 60)
	n.wantStatus(m, abi.SectorStatusCodeActive, s...)
}

// Proofs are taken on trust until somebody disputes them or they recover a fault: then
// the network's refusal makes sectors faulty, keeps them so, and in the end kills them.
// A contract sees each state by FIP-0112.
func TestRefusedProofsFaultAndKill(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	s := n.seal(m, provider.Sector{})[0]
	validated := func(claim abi.SectorStatusCode) bool {
		_, aux, err := m.Status(n.ctx, s)
		n.must(err)
		code, out := c.ask(m.ID(), provider.MethodValidateSectorStatus, &miner18.ValidateSectorStatusParams{SectorNumber: s, Status: claim, AuxData: aux})
		if code != 0 {
			t.Fatalf("ValidateSectorStatus: exit code %d", code)
		}
		return bytes.Equal(out, cbg.CborBoolTrue)
	}
	only := func(want abi.SectorStatusCode) {
		t.Helper()
		for _, claim := range []abi.SectorStatusCode{abi.SectorStatusCodeDead, abi.SectorStatusCodeActive, abi.SectorStatusCodeFaulty} {
			if got := validated(claim); got != (claim == want) {
				t.Errorf("epoch %d: claim %d is validated: %v; the sector has status %d", n.Head().Height(), claim, got, want)
			}
		}
	}
	deadline, _, err := m.Place(n.ctx, s)
	n.must(err)
	n.advance(day)
	st, err := m.State(n.ctx)
	n.must(err)
	for info := st.RecordedDeadlineInfo(n.Head().Height()); info.Index == deadline; info = st.RecordedDeadlineInfo(n.Head().Height()) {
		n.advance(60) // not while it is open
		st, err = m.State(n.ctx)
		n.must(err)
	}
	only(abi.SectorStatusCodeActive)
	if code := exitCode(m.Dispute(n.ctx, n.client(), deadline)); code != exitcode.ErrIllegalArgument {
		t.Errorf("disputing a proof that the network accepts: exit code %d", code)
	}
	n.must(n.RefuseProofs(chain.PoStProof))
	n.must(m.Dispute(n.ctx, n.client(), deadline))
	only(abi.SectorStatusCodeFaulty)

	n.must(m.Recover(n.ctx, s))
	n.advance(day + 60)
	only(abi.SectorStatusCodeFaulty)
	if _, failed := n.posts(m); failed == 0 {
		t.Error("no proof of the recovery failed")
	}
	n.advance(42 * day)
	only(abi.SectorStatusCodeDead)
}

func TestTerminateExtendCompact(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	s := n.seal(m, provider.Sector{}, provider.Sector{})
	n.advance(day + 60)

	before, err := m.Sector(n.ctx, s[0])
	n.must(err)
	n.must(m.Extend(n.ctx, before.Expiration+100*day, s[0]))
	after, err := m.Sector(n.ctx, s[0])
	n.must(err)
	if after.Expiration < before.Expiration+100*day {
		t.Errorf("extended to %d, from %d", after.Expiration, before.Expiration)
	}

	deadline, partition, err := m.Place(n.ctx, s[1])
	n.must(err)
	n.must(m.Terminate(n.ctx, s[1]))
	n.wantStatus(m, abi.SectorStatusCodeDead, s[1])
	n.wantStatus(m, abi.SectorStatusCodeActive, s[0])
	n.advance(day)
	n.must(m.Compact(n.ctx, deadline, partition))
	if _, err := m.Sector(n.ctx, s[1]); !errors.Is(err, provider.ErrNoSector) {
		t.Errorf("after compaction the dead sector is found: %v", err)
	}
	if _, _, err := m.Place(n.ctx, s[1]); err == nil {
		t.Error("after compaction the dead sector has a place")
	}
	n.wantStatus(m, abi.SectorStatusCodeActive, s[0])
	n.advance(day)
	n.wantStatus(m, abi.SectorStatusCodeActive, s[0])
	if err := m.Compact(n.ctx, 48, 0); err == nil {
		t.Error("compacted deadline 48")
	}
}

// marketOf is the market's state.
func (n *net) market() *market18.State {
	n.Helper()
	actor, err := n.Actor(n.ctx, builtin.StorageMarketActorAddr, nil)
	n.must(err)
	st := new(market18.State)
	n.must(fvm.CBORStore(n.Store()).Get(n.ctx, actor.Head, st))
	return st
}

package chain_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
)

// load makes a chain of a dump, for the length of the test.
func (n *net) load(dump []byte) (*net, error) {
	c, err := chain.Load(n.ctx, chain.Config{Engine: fvmtest.Engine(n)}, bytes.NewReader(dump))
	if err != nil {
		return nil, err
	}
	n.Cleanup(func() {
		if err := c.Close(); err != nil {
			n.Error(err)
		}
	})
	return &net{n.TB, n.ctx, c}, nil
}

func (n *net) dump() []byte {
	n.Helper()
	var out bytes.Buffer
	if err := n.Dump(n.ctx, &out); err != nil {
		n.Fatal(err)
	}
	return out.Bytes()
}

// A loaded chain is the dumped one: it answers the same, of dropped branches too, and
// goes on to the same tipsets.
func TestDumpAndLoad(t *testing.T) {
	n := start(t, func(c *chain.Config) { c.Seed[3] = 7 })
	from := n.of(chain.Secp256k1, 0)
	kept := n.send(from, fresh(t, 1))
	n.send(n.of(chain.BLS, 0), fresh(t, 2))
	n.mine(6)
	dropped := n.Head()
	if _, err := n.Reorg(n.ctx, 3, true); err != nil {
		t.Fatal(err)
	}
	pending := n.send(from, fresh(t, 3))
	if err := n.RefuseProofs(chain.SealProof); err != nil {
		t.Fatal(err)
	}
	n.StallFinality(true)

	m, err := n.load(n.dump())
	if err != nil {
		t.Fatal(err)
	}
	if m.Head().Key() != n.Head().Key() || m.Finalized().Key() != n.Finalized().Key() || m.Genesis().Key() != n.Genesis().Key() {
		t.Fatalf("head %s, finalized %s", m.Head().Key(), m.Finalized().Key())
	}
	if !m.FinalityStalled() || len(m.RefusedProofs()) != 1 {
		t.Errorf("stalled %v, refused %v", m.FinalityStalled(), m.RefusedProofs())
	}
	a, b := n.found(kept), m.found(kept)
	if a.TipSet.Key() != b.TipSet.Key() || a.Receipt.GasUsed != b.Receipt.GasUsed || !a.Costs.BaseFeeBurn.Equals(b.Costs.BaseFeeBurn) {
		t.Errorf("the message is %+v, was %+v", b, a)
	}
	if _, ok := m.PendingMessage(pending); !ok {
		t.Error("the pool's message is gone")
	}
	if ts, err := m.TipSet(dropped.Key()); err != nil || m.Canonical(ts) {
		t.Errorf("the dropped branch: %v", err)
	}
	if !m.total(m.Head()).Equals(types.TotalFilecoinInt) {
		t.Error("money is lost")
	}
	for _, c := range []*net{n, m} {
		c.mine(2)
		if _, err := c.NullRounds(c.ctx, 5); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Reorg(c.ctx, 2, false); err != nil {
			t.Fatal(err)
		}
	}
	if m.Head().Key() != n.Head().Key() {
		t.Errorf("afterwards they differ: %s and %s", m.Head().Key(), n.Head().Key())
	}
}

func TestLoadRefusesWhatIsNoDump(t *testing.T) {
	n := start(t)
	n.mine(2)
	good := n.dump()
	for name, bad := range map[string][]byte{
		"nothing":     nil,
		"something":   []byte(`{"hello": 1}`),
		"a part":      good[:len(good)*2/3],
		"a lie":       bytes.Replace(good, []byte(`"d":"`), []byte(`"d":"AAAA`), 1),
		"other times": bytes.Replace(good, []byte(`"parent":0`), []byte(`"parent":9`), 1),
	} {
		if _, err := n.load(bad); !errors.Is(err, chain.ErrDump) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFinalityAdvancesStallsResumes(t *testing.T) {
	n := start(t) // five behind
	if _, ok := n.LatestCertificate(); ok {
		t.Error("there is a certificate before anything is final")
	}
	n.mine(10)
	want := func(epoch int, what string) {
		t.Helper()
		if got := int(n.Finalized().Height()); got != epoch {
			t.Errorf("%s: finalized %d, want %d", what, got, epoch)
		}
	}
	want(5, "advancing")
	first, ok := n.LatestCertificate()
	if !ok || first.Head.Height() != 5 || first.Base.Height() != 4 || len(first.Steps) != 2 {
		t.Errorf("certificate %+v", first)
	}
	n.StallFinality(true)
	n.mine(20)
	want(5, "stalled")
	n.mine(890)
	want(20, "stalled for longer than expected consensus needs")
	n.StallFinality(false)
	want(915, "resumed")
	last, ok := n.LatestCertificate()
	if !ok || last.Instance <= first.Instance || last.Base.Height() != 20 || last.Head.Height() != 915 || len(last.Steps) != 896 {
		t.Errorf("certificate %d from %d to %d in %d steps", last.Instance, last.Base.Height(), last.Head.Height(), len(last.Steps))
	}
	if _, err := n.Reorg(n.ctx, 3, false); err != nil {
		t.Fatal(err)
	}
	want(916, "after a shallow reorg")
	before := n.Finalized()
	if _, err := n.Reorg(n.ctx, 30, false); err != nil {
		t.Fatal(err)
	}
	if n.Canonical(before) || !n.Canonical(n.Finalized()) {
		t.Error("after a reorg deeper than finality the finalized tipset is not on the chain")
	}
	want(917, "after a deep reorg")
}

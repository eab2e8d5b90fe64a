package gas

import (
	"errors"
	"math"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
)

func TestGasSaturates(t *testing.T) {
	top := Gas(math.MaxUint64)
	for name, c := range map[string]struct{ got, want Gas }{
		"new":      {New(math.MaxUint64), top},
		"add":      {top.Add(1), top},
		"mul":      {New(1 << 40).Mul(1 << 40), top},
		"sub":      {New(1).Sub(New(2)), 0},
		"sub some": {New(5).Sub(New(2)), New(3)},
		"charge":   {Charge{Compute: top, Other: 1}.Total(), top},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
	if g := Gas(1001); g.RoundUp() != 2 || g.RoundDown() != 1 || g.String() != "1.001" || New(7).RoundUp() != 7 || Gas(400).String() != "0.400" {
		t.Errorf("rounding or printing of %d milligas is off", g.Milligas())
	}
}

func TestListByVersion(t *testing.T) {
	for nv, want := range map[network.Version]string{
		16: "hygge", 18: "hygge", 20: "hygge", 21: "watermelon", 24: "watermelon", 25: "teep", 28: "teep", 40: "teep",
	} {
		if got := PricesFor(nv).Name(); got != want {
			t.Errorf("version %d has list %s, want %s", nv, got, want)
		}
	}
}

// total makes a check of a charge's name and total in gas.
func total(t *testing.T, c Charge, name string, gas float64) {
	t.Helper()
	if c.Name != name || float64(c.Total())/1000 != gas {
		t.Errorf("%s of %g gas, want %s of %g", c.Name, float64(c.Total())/1000, name, gas)
	}
}

// The expected totals are computed by hand from ref-fvm's list; the two of ten bytes are its own test's (test_read_write).
func TestCharges(t *testing.T) {
	for _, nv := range []network.Version{18, 21, 28} {
		p := PricesFor(nv)
		link := 300.0
		if nv < 21 {
			link = 0
		}
		total(t, p.OnBlockOpen(10, 0), "OnBlockOpen", 100)
		total(t, p.OnBlockCreate(10, 0), "OnBlockCreate", 100)
		total(t, p.OnBlockOpen(10, 1), "OnBlockOpen", max(100, link+24))
		total(t, p.OnBlockCreate(10, 2), "OnBlockCreate", max(100, 2*link+24))
		total(t, p.OnBlockOpenBase(), "OnBlockOpenBase", 187440+link)
		total(t, p.OnBlockRead(5), "OnBlockRead", 2)
		total(t, p.OnBlockStat(), "OnBlockStat", 0)
		c, err := p.OnBlockLink(HashBlake2b256, 100)
		if err != nil {
			t.Fatal(err)
		}
		total(t, c, "OnBlockLink", 240+1000+link+172000+334000+3340*100)
		total(t, p.OnGetRoot(), "OnActorGetRoot", link)
		total(t, p.OnSetRoot(), "OnActorSetRoot", link)
		total(t, p.OnChainMessage(100), "OnChainMessage", 38863+475000+46800+130000)
		total(t, p.OnMethodInvocation(9, 2), "OnMethodInvocation", 75000+2*link)
		total(t, p.OnMethodReturn(1, 10, 5), "OnChainReturnValue", 13000)
		total(t, p.OnMethodReturn(2, 10, 5), "OnReturnValue", 5*link)
		total(t, p.OnValueTransfer(), "OnValueTransfer", 6000)
		total(t, p.OnSyscall(), "OnSyscall", 14000)
		total(t, p.OnCreateActor(true), "OnCreateActor", 2_700_000)
		total(t, p.OnCreateActor(false), "OnCreateActor", 650_000)
		total(t, p.OnActorLookup(), "OnActorLookup", 500_000)
		total(t, p.OnActorUpdate(), "OnActorUpdate", 475_000)
		total(t, p.OnVerifyPoSt(3), "OnVerifyPost", 117680921+3*43780)
		total(t, p.OnVerifyAggregateSignature(2, 100), "OnVerifyBlsAggregateSignature", 3*8299302+700)
		total(t, p.OnRecoverSecpPublicKey(), "OnRecoverSecpPublicKey", 1637292)
		total(t, p.OnInitMemory(65536), "wasm_memory_init", 65536*0.4)
		total(t, p.OnInitTable(10), "wasm_table_init", 32)
	}
	p := PricesFor(network.Version21)
	total(t, p.OnGetRandomness(10, 32), "OnGetRandomness", 5800*19+15000+21000+750)
	total(t, p.OnTipsetCID(3), "OnTipsetCid", 5800*19+15000+21000+225)
	// Size 12+2·9+5+40 = 75; 3 copies of 2.4, hash of 10, 2 entries, 5 bytes of keys.
	total(t, p.OnActorEvent(2, 5, 40), "OnActorEvent", 75*7.2+750+2000+2*1400+500+5*16)
	total(t, p.OnScanLinks(4, 1), "OnScanIpldLinks", 4*35+400)
	p = PricesFor(network.Version18)
	total(t, p.OnGetRandomness(10, 32), "OnGetRandomness", 21000+10*(32+48))
	total(t, p.OnTipsetCID(1), "OnTipsetCid", 50000)
	total(t, p.OnTipsetCID(2), "OnTipsetCid", 215000)
	total(t, p.OnActorEventValidate(100), "OnActorEventValidate", 240+1750+2500)
	total(t, p.OnActorEventAccept(88), "OnActorEventAccept", 100*(0.4*3+2*2+10))
	total(t, p.OnScanLinks(4, 1), "OnScanIpldLinks", 0)
}

func TestProofPrices(t *testing.T) {
	seal := func(p abi.RegisteredSealProof, n int, nv network.Version) float64 {
		return float64(PricesFor(nv).OnVerifyAggregateSeals(p, n).Total()) / 1000
	}
	p32, ni32, ni64 := abi.RegisteredSealProof_StackedDrg32GiBV1_1, abi.RegisteredSealProof_StackedDrg32GiBV1_2_Feat_NiPoRep,
		abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep
	// As in ref-fvm's tests test_aggregate_porep_gas_charges and test_niporep_aggregate_gas_charges.
	for _, c := range []struct {
		proof abi.RegisteredSealProof
		n     int
		nv    network.Version
		want  float64
	}{
		{p32, 1, 24, 449900}, {p32, 3, 25, 3 * 449900}, {p32, 4, 25, 4*449900 + 103994170}, {p32, 65, 18, 65*449900 + 162039100},
		{ni32, 4, 24, 4*449900 + 103994170}, {ni64, 4, 24, 4*449900 + 103994170},
		{ni32, 1, 25, 118025550}, {ni64, 1, 25, 115329958}, {ni32, 65, 25, 65*44990*126 + 528274980}, {ni64, 5, 28, 5*35928*126 + 157357890},
	} {
		if got := seal(c.proof, c.n, c.nv); got != c.want {
			t.Errorf("%d seals of proof %d in version %d cost %g, want %g", c.n, c.proof, c.nv, got, c.want)
		}
	}
	total(t, PricesFor(24).OnVerifySeal(), "OnVerifySeal", 2000)
	total(t, PricesFor(25).OnVerifySeal(), "OnVerifySeal", 42_000_000)
}

func TestUnsupported(t *testing.T) {
	p := PricesFor(network.Version28)
	if _, err := p.OnHashing(0x11, 1); !errors.Is(err, ErrUnsupported) {
		t.Errorf("sha1: error %v, want ErrUnsupported", err)
	}
	if _, err := p.OnBlockLink(0, 1); !errors.Is(err, ErrUnsupported) {
		t.Errorf("identity link: error %v, want ErrUnsupported", err)
	}
	if _, err := p.OnVerifySignature(crypto.SigTypeDelegated, 1); !errors.Is(err, ErrUnsupported) {
		t.Errorf("delegated signature: error %v, want ErrUnsupported", err)
	}
	c, err := p.OnVerifySignature(crypto.SigTypeBLS, 10)
	if err != nil {
		t.Fatal(err)
	}
	total(t, c, "OnVerifySignature", 16598605+260)
	if p.Preloaded(8) || !p.Preloaded(10) || !p.Preloaded(99) || !p.Preloaded(0) {
		t.Error("the singletons that are free are 0 to 7, 10 and 99")
	}
}

func TestTracker(t *testing.T) {
	tr := NewTracker(New(100), New(10), true)
	if err := tr.Charge("a", New(40)); err != nil || tr.Used() != New(50) {
		t.Fatalf("used %s, error %v", tr.Used(), err)
	}
	tr.PushLimit(New(30))
	if tr.Available() != New(30) || tr.Limit() != New(30) {
		t.Errorf("available %s in the call, want 30", tr.Available())
	}
	if err := tr.Charge("b", New(31)); !errors.Is(err, ErrOutOfGas) || tr.Available() != 0 {
		t.Errorf("error %v with %s left, want out of gas with nothing", err, tr.Available())
	}
	if err := tr.PopLimit(); err != nil || tr.Available() != New(20) || tr.Used() != New(80) {
		t.Errorf("after the call: used %s, left %s, error %v; want 80 and 20", tr.Used(), tr.Available(), err)
	}
	tr.PushLimit(New(1000))
	if tr.Available() != New(20) {
		t.Errorf("a call may use %s, want the 20 that are left", tr.Available())
	}
	if err := tr.PopLimit(); err != nil {
		t.Fatal(err)
	}
	if err := tr.PopLimit(); !errors.Is(err, ErrNoLimit) {
		t.Errorf("error %v, want ErrNoLimit", err)
	}
	if tr.Counter() != 20_000 || ExecGas(20_000, 5_000) != 15_000 || ExecGas(20_000, -1) != 20_001 || ExecGas(5, 9) != 0 ||
		ExecGas(1, math.MinInt64) != 1<<63+1 {
		t.Error("gas of executed instructions is off")
	}
	if names := tr.DrainTrace(); len(names) != 2 || names[0].Name != "a" || names[1].Name != "b" || tr.DrainTrace() != nil {
		t.Errorf("trace %v, want a and b once", names)
	}
	if NewTracker(math.MaxUint64, 0, false).Counter() != math.MaxInt64 {
		t.Error("a limit beyond the counter's range is not cut")
	}
}

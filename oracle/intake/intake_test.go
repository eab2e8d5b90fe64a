package intake

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const chainID = 31415926

var (
	provider = common.HexToAddress("0x1000000000000000000000000000000000000001")
	second   = common.HexToAddress("0x1000000000000000000000000000000000000002")
	consumer = common.HexToAddress("0x2000000000000000000000000000000000000AbC")
	wallet   = common.HexToAddress("0x3000000000000000000000000000000000000DeF")
	contract = estuaryprovider.NewEstuaryProvider()
	now      = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	cidBytes = append([]byte{0x12, 0x20}, bytes.Repeat([]byte{7}, 32)...)
)

// memory is a ledger that keeps batches and says what it is told to.
type memory struct {
	batches []chain.Batch
	done    chain.Committed
	err     error
}

// CommitBatch implements Ledger.
func (m *memory) CommitBatch(_ context.Context, b chain.Batch) (chain.Committed, error) {
	if m.err != nil {
		return chain.Committed{}, m.err
	}
	m.batches = append(m.batches, b)
	return m.done, nil
}

// bell remembers what was woken.
type bell struct{ kinds []job.Kind }

// Notify implements Notifier.
func (b *bell) Notify(k job.Kind) { b.kinds = append(b.kinds, k) }

type rig struct {
	in     *Intake
	ledger *memory
	bell   *bell
	woken  int
	lines  bytes.Buffer
	reg    *prometheus.Registry
}

// refused reads the counter of what made no job.
func (r *rig) refused(t testing.TB, why string) float64 {
	t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tidegate_intake_refused_total" && m.GetLabel()[0].GetValue() == why {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{ledger: &memory{}, bell: &bell{}, reg: prometheus.NewRegistry()}
	in, err := New(Config{ChainID: chainID, Providers: []common.Address{provider, second}, UndoDelay: time.Minute}, Deps{
		Ledger: r.ledger, Notifier: r.bell, Answers: func() { r.woken++ }, Now: func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(&r.lines, nil)), Metrics: r.reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.in = in
	return r
}

// one applies a single log and gives the batch it became.
func (r *rig) one(t testing.TB, l chain.Log) chain.Batch {
	t.Helper()
	u := chain.Update{Filter: "f", From: l.Height, To: l.Height, Logs: []chain.Log{l}}
	if err := r.in.Apply(context.Background(), u); err != nil {
		t.Fatal(err)
	}
	b := r.ledger.batches[len(r.ledger.batches)-1]
	if len(b.Logs) != 1 || len(b.Seq) != 1 {
		t.Fatalf("the log was not kept: %+v", b)
	}
	return b
}

func terms(action uint16, payload, ctx []byte) estuaryprovider.Terms {
	return estuaryprovider.Terms{
		Seq: 41, Consumer: consumer, Action: action, CallbackGas: 100_000, Deadline: big.NewInt(1_900_000_000),
		AttemptUntil: big.NewInt(1_800_000_000), RefundTo: wallet, Fee: big.NewInt(1e15), AttemptFee: big.NewInt(1e13),
		PayloadHash: crypto.Keccak256Hash(payload), ContextHash: crypto.Keccak256Hash(ctx),
	}
}

// eventLog encodes an event as a contract would: indexed values as topics.
func eventLog(t testing.TB, name string, topics []common.Hash, values ...any) chain.Log {
	t.Helper()
	spec := contract.GetABI().Events[name]
	data, err := spec.Inputs.NonIndexed().Pack(values...)
	if err != nil {
		t.Fatal(err)
	}
	return chain.Log{
		Height: 77, Block: common.Hash{7}, Index: 3, Tx: common.Hash{8}, Address: provider,
		Topics: append([]common.Hash{spec.ID}, topics...), Data: data,
	}
}

func idOf(t testing.TB, tr estuaryprovider.Terms) common.Hash {
	t.Helper()
	enc, err := encodeTerms(contract, tr)
	if err != nil {
		t.Fatal(err)
	}
	return requestID(chainID, provider, enc)
}

func action(a uint16) common.Hash {
	var h common.Hash
	binary.BigEndian.PutUint16(h[30:], a)
	return h
}

func requested(t testing.TB, a uint16, payload []byte) chain.Log {
	t.Helper()
	ctx := []byte("context")
	tr := terms(a, payload, ctx)
	return eventLog(t, "OracleRequested", []common.Hash{idOf(t, tr), common.BytesToHash(consumer[:]), action(a)}, tr, payload, ctx)
}

func pack(t testing.TB, payload any) []byte {
	t.Helper()
	args := pinArgs
	if _, ok := payload.(unpinPayload); ok {
		args = unpinArgs
	}
	b, err := args.Pack(payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPinRequestBecomesAJob(t *testing.T) {
	r := newRig(t)
	payload := pack(t, pinPayload{Cid: cidBytes, Requester: wallet, MaxBytes: 1 << 20, Expiry: big.NewInt(1_950_000_000),
		Origins: []string{"/ip4/1.2.3.4/tcp/4001/p2p/x"}, Name: "holiday"})
	l := requested(t, actionPin, payload)
	b := r.one(t, l)
	if b.Seq[0] != 41 || len(b.Requests) != 1 || len(b.Jobs) != 1 || b.UndoAt != now.Add(time.Minute) || b.Now != now {
		t.Fatalf("batch %+v", b)
	}
	q, n := b.Requests[0], b.Jobs[0]
	if q.ID != l.Topics[1] || q.Chain != chainID || q.Provider != provider || q.Consumer != consumer || q.Requester != wallet ||
		q.Seq != 41 || q.Deadline.Unix() != 1_900_000_000 || q.AttemptUntil.Unix() != 1_800_000_000 || q.State != chain.RequestOpen ||
		!bytes.Equal(q.Payload, payload) || string(q.Context) != "context" || len(q.Terms) != 11*32 || q.Log.Index != 3 {
		t.Fatalf("request %+v", q)
	}
	if n.Key != job.RequestKey(chainID, provider.Hex(), q.ID.Hex(), 1) || n.Kind != job.KindPin || n.Lane != job.LaneSoft ||
		n.Class != job.ClassPaid || n.Request != q.ID.Hex() || n.Requester != strings.ToLower(wallet.Hex()) || n.Height != 77 ||
		!n.RunAt.Equal(now) || !n.Deadline.Equal(q.Deadline) || !n.NotBefore.Equal(q.AttemptUntil) {
		t.Fatalf("job %+v", n)
	}
	p, err := job.Decode[job.Pin](n.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.CID, cidBytes) || p.MaxBytes != 1<<20 || p.Expiry != 1_950_000_000 || p.Seq != 41 || p.Name != "holiday" ||
		len(p.Origins) != 1 || p.Owner != strings.ToLower(consumer.Hex()+":"+wallet.Hex()) {
		t.Fatalf("payload %+v", p)
	}
}

func TestUnpinRequestBecomesAJobOfTheFinalLane(t *testing.T) {
	b := newRig(t).one(t, requested(t, actionUnpin, pack(t, unpinPayload{Cid: cidBytes, Requester: wallet})))
	if len(b.Jobs) != 1 || b.Jobs[0].Kind != job.KindUnpin || b.Jobs[0].Lane != job.LaneFinal {
		t.Fatalf("jobs %+v", b.Jobs)
	}
	p, err := job.Decode[job.Unpin](b.Jobs[0].Payload)
	if err != nil || !bytes.Equal(p.CID, cidBytes) || p.Seq != 41 || p.Owner != strings.ToLower(consumer.Hex()+":"+wallet.Hex()) {
		t.Fatalf("payload %+v, %v", p, err)
	}
}

func TestPaidRequestIsAnsweredHoweverItsPayloadLooks(t *testing.T) {
	good := pack(t, pinPayload{Cid: cidBytes, Requester: wallet, Expiry: big.NewInt(5)})
	far := slices.Clone(good)
	far[32+31] = 0xff // the offset of the CID points outside
	huge := slices.Clone(good)
	copy(huge[32+4*32:], bytes.Repeat([]byte{0xff}, 32)) // an offset that overflows
	late := slices.Clone(good)
	late[32+3*32] = 1 // expiry is not a uint40
	for name, c := range map[string]struct {
		action  uint16
		payload []byte
		cid     []byte
		who     common.Address
	}{
		"empty payload":         {actionPin, nil, nil, consumer},
		"not an encoding":       {actionPin, []byte("bafy…"), nil, consumer},
		"offset outside":        {actionPin, far, nil, consumer},
		"offset overflows":      {actionPin, huge, nil, consumer},
		"cut":                   {actionPin, good[:len(good)-96], nil, consumer},
		"bytes that are no cid": {actionPin, pack(t, pinPayload{Cid: []byte("no cid"), Requester: wallet, Expiry: big.NewInt(5)}), []byte("no cid"), wallet},
		"nobody named":          {actionPin, pack(t, pinPayload{Cid: cidBytes, Expiry: big.NewInt(5)}), cidBytes, consumer},
		"unpin, no encoding":    {actionUnpin, []byte{1, 2, 3}, nil, consumer},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRig(t).one(t, requested(t, c.action, c.payload))
			if len(b.Jobs) != 1 || len(b.Requests) != 1 || b.Requests[0].Requester != c.who {
				t.Fatalf("batch %+v", b)
			}
			var got []byte
			if c.action == actionPin {
				p, err := job.Decode[job.Pin](b.Jobs[0].Payload)
				if err != nil {
					t.Fatal(err)
				}
				got = p.CID
			} else {
				p, err := job.Decode[job.Unpin](b.Jobs[0].Payload)
				if err != nil {
					t.Fatal(err)
				}
				got = p.CID
			}
			if !bytes.Equal(got, c.cid) {
				t.Fatalf("cid %x", got)
			}
		})
	}
	t.Run("expiry over its type", func(t *testing.T) {
		b := newRig(t).one(t, requested(t, actionPin, late))
		if len(b.Jobs) != 1 {
			t.Fatal("no job")
		}
		p, err := job.Decode[job.Pin](b.Jobs[0].Payload)
		if err != nil || len(p.CID) != 0 {
			t.Fatalf("payload %+v, %v", p, err)
		}
	})
}

func TestActionThatIsNotOfferedMakesNoJob(t *testing.T) {
	r := newRig(t)
	b := r.one(t, requested(t, 6, nil))
	if len(b.Jobs) != 0 || len(b.Requests) != 1 || b.Seq[0] != 41 {
		t.Fatalf("batch %+v", b)
	}
	if !strings.Contains(r.lines.String(), "not offered") || r.refused(t, "action") != 1 {
		t.Fatalf("not said: %s", r.lines.String())
	}
}

func TestClosingsAndCallbacks(t *testing.T) {
	id := common.Hash{0xab}
	on := []common.Hash{id}
	for name, c := range map[string]struct {
		log   chain.Log
		check func(chain.Batch) bool
	}{
		"answered": {eventLog(t, "OracleAnswered", on, uint64(9), uint8(1), uint8(0), [32]byte{1}, big.NewInt(1)), func(b chain.Batch) bool {
			c := b.Closings[0]
			return c.Request == id && c.State == chain.RequestAnswered && c.Outcome == job.Succeeded && c.Reason == 0 && c.Log.Height == 77
		}},
		"answered as failed": {eventLog(t, "OracleAnswered", on, uint64(9), uint8(2), uint8(3), [32]byte{1}, big.NewInt(1)), func(b chain.Batch) bool {
			return b.Closings[0].Outcome == job.Failed && b.Closings[0].Reason == job.ReasonStalled
		}},
		"refunded": {eventLog(t, "OracleRefunded", []common.Hash{id, common.BytesToHash(wallet[:])}, uint64(9), big.NewInt(5), true), func(b chain.Batch) bool {
			return b.Closings[0].Request == id && b.Closings[0].State == chain.RequestRefunded
		}},
		"callback failed": {eventLog(t, "CallbackFailed", on, uint64(9), []byte("why")), func(b chain.Batch) bool {
			return len(b.Callbacks) == 1 && b.Callbacks[0].Failed && b.Callbacks[0].Request == id
		}},
		"callback retried": {eventLog(t, "CallbackRetried", on, uint64(9)), func(b chain.Batch) bool {
			return len(b.Callbacks) == 1 && !b.Callbacks[0].Failed
		}},
		"cancel requested":    {eventLog(t, "CancelRequested", on, uint64(9), big.NewInt(1_800_000_000)), nothing},
		"report skipped":      {eventLog(t, "ReportSkipped", on, uint64(9), uint8(2)), nothing},
		"operators proposed":  {eventLog(t, "OperatorsProposed", on, uint64(9), []common.Address{wallet}, uint8(1), big.NewInt(3)), nothing},
		"operators activated": {eventLog(t, "OperatorsActivated", on, uint64(9), [32]byte{}, big.NewInt(3)), nothing},
		"withdrawn":           {eventLog(t, "Withdrawn", []common.Hash{common.BytesToHash(wallet[:])}, uint64(9), wallet, big.NewInt(3)), nothing},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRig(t).one(t, c.log)
			if b.Seq[0] != 9 || len(b.Requests)+len(b.Jobs) != 0 || !c.check(b) {
				t.Fatalf("batch %+v", b)
			}
		})
	}
}

func nothing(b chain.Batch) bool { return len(b.Closings)+len(b.Callbacks) == 0 }

func TestEventWithoutSeqIsKeptWithoutOne(t *testing.T) {
	l := eventLog(t, "OwnershipTransferred", []common.Hash{{}, common.BytesToHash(wallet[:])})
	if b := newRig(t).one(t, l); b.Seq[0] != -1 || !nothing(b) {
		t.Fatalf("batch %+v", b)
	}
}

func TestEveryEventOfTheContractIsUnderstood(t *testing.T) {
	r := newRig(t)
	for name, spec := range contract.GetABI().Events {
		l := chain.Log{Address: provider, Topics: []common.Hash{spec.ID}, Data: make([]byte, 32*40)}
		for _, a := range spec.Inputs {
			if a.Indexed {
				l.Topics = append(l.Topics, common.Hash{})
			}
		}
		if _, err := r.in.decode(l); err != nil && name != "OracleRequested" && name != "OracleAnswered" {
			t.Errorf("%s: %v", name, err) // all zeros is a value of any type, but not a request or an outcome
		}
	}
}

func TestLogsThatAreNotWhatTheyClaimMakeNothing(t *testing.T) {
	good := requested(t, actionPin, pack(t, pinPayload{Cid: cidBytes, Requester: wallet, Expiry: big.NewInt(5)}))
	edit := func(f func(*chain.Log)) chain.Log {
		l := good
		l.Topics, l.Data = slices.Clone(good.Topics), slices.Clone(good.Data)
		f(&l)
		return l
	}
	last := len(good.Data) - 1
	for name, l := range map[string]chain.Log{
		"the id of another provider": edit(func(l *chain.Log) { l.Address = second }),
		"no topics":                  edit(func(l *chain.Log) { l.Topics = nil }),
		"unknown event":              edit(func(l *chain.Log) { l.Topics[0][0] ^= 1 }),
		"another id":                 edit(func(l *chain.Log) { l.Topics[1][0] ^= 1 }),
		"another consumer":           edit(func(l *chain.Log) { l.Topics[2][31] ^= 1 }),
		"another action":             edit(func(l *chain.Log) { l.Topics[3] = action(2) }),
		"action over its type":       edit(func(l *chain.Log) { l.Topics[3][0] = 1 }),
		"a topic too few":            edit(func(l *chain.Log) { l.Topics = l.Topics[:3] }),
		"another fee":                edit(func(l *chain.Log) { l.Data[8*32-1] ^= 1 }),
		"another payload":            edit(func(l *chain.Log) { l.Data[14*32+40] ^= 1 }),
		"another context":            edit(func(l *chain.Log) { l.Data[last-31] ^= 1 }),
		"no data":                    edit(func(l *chain.Log) { l.Data = nil }),
		"cut data":                   edit(func(l *chain.Log) { l.Data = l.Data[:200] }),
		"huge seq":                   edit(func(l *chain.Log) { l.Data[24] = 0xff }),
		"outcome 3":                  eventLog(t, "OracleAnswered", []common.Hash{{1}}, uint64(9), uint8(3), uint8(0), [32]byte{}, big.NewInt(1)),
		"success with a reason":      eventLog(t, "OracleAnswered", []common.Hash{{1}}, uint64(9), uint8(1), uint8(1), [32]byte{}, big.NewInt(1)),
		"failure without one":        eventLog(t, "OracleAnswered", []common.Hash{{1}}, uint64(9), uint8(2), uint8(0), [32]byte{}, big.NewInt(1)),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			b := r.one(t, l)
			if b.Seq[0] != -1 || len(b.Requests)+len(b.Jobs) != 0 || !nothing(b) {
				t.Fatalf("batch %+v", b)
			}
			if !strings.Contains(r.lines.String(), "level=ERROR") || r.refused(t, "undecodable") != 1 {
				t.Fatalf("not said: %s", r.lines.String())
			}
		})
	}
	other, err := New(Config{ChainID: 314, Providers: []common.Address{provider}}, Deps{Ledger: &memory{}, Notifier: &bell{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.decode(good); err == nil {
		t.Fatal("a request of another chain was taken")
	}
	if _, err := newRig(t).in.decode(good); err != nil {
		t.Fatalf("the unedited log: %v", err)
	}
}

func TestOneRequestTwiceInAStepIsTakenOnce(t *testing.T) {
	r := newRig(t)
	l := requested(t, actionUnpin, nil)
	again := l
	again.Index++
	if err := r.in.Apply(context.Background(), chain.Update{Logs: []chain.Log{l, again}}); err != nil {
		t.Fatal(err)
	}
	if b := r.ledger.batches[0]; len(b.Jobs) != 1 || len(b.Requests) != 1 || !slices.Equal(b.Seq, []int64{41, -1}) {
		t.Fatalf("batch %+v", b)
	}
}

func TestWakesOnlyAfterTheCommit(t *testing.T) {
	r := newRig(t)
	r.ledger.done = chain.Committed{Ready: []job.Kind{job.KindPin, job.KindRelease}, Answers: true, Retracted: 2}
	r.ledger.err = chain.ErrDeepReorg
	u := chain.Update{Reorg: true, Ancestor: chain.Block{Height: 4, Hash: common.Hash{4}}}
	if err := r.in.Apply(context.Background(), u); !errors.Is(err, chain.ErrDeepReorg) || len(r.bell.kinds) != 0 || r.woken != 0 {
		t.Fatalf("error %v, woken %v %d", err, r.bell.kinds, r.woken)
	}
	r.ledger.err = nil
	if err := r.in.Apply(context.Background(), u); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.bell.kinds, r.ledger.done.Ready) || r.woken != 1 || !r.ledger.batches[0].Reorg {
		t.Fatalf("woken %v %d", r.bell.kinds, r.woken)
	}
}

func TestTraceIsAValidTraceparentOfTheRequest(t *testing.T) {
	if got := traceOf(common.HexToHash("0x" + strings.Repeat("ab", 32))); got != "00-"+strings.Repeat("ab", 16)+"-"+strings.Repeat("ab", 8)+"-01" {
		t.Error(got)
	}
	if got := traceOf(common.Hash{}); got != "00-"+strings.Repeat("0", 31)+"1-"+strings.Repeat("0", 15)+"1-01" {
		t.Error(got)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	good, d := Config{ChainID: 1, Providers: []common.Address{provider}}, Deps{Ledger: &memory{}, Notifier: &bell{}}
	for name, edit := range map[string]func(*Config, *Deps){
		"no chain": func(c *Config, _ *Deps) { c.ChainID = 0 }, "no providers": func(c *Config, _ *Deps) { c.Providers = nil },
		"no ledger": func(_ *Config, d *Deps) { d.Ledger = nil }, "no notifier": func(_ *Config, d *Deps) { d.Notifier = nil },
		"negative delay": func(c *Config, _ *Deps) { c.UndoDelay = -1 },
	} {
		c, dd := good, d
		edit(&c, &dd)
		if _, err := New(c, dd); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if in, err := New(good, d); err != nil || in.cfg.UndoDelay != 30*time.Second {
		t.Errorf("%v", err)
	}
}

func FuzzEvents(f *testing.F) {
	for _, l := range []chain.Log{
		requested(f, actionPin, pack(f, pinPayload{Cid: cidBytes, Requester: wallet, Expiry: big.NewInt(5), Origins: []string{"/x"}})),
		requested(f, actionUnpin, nil),
		eventLog(f, "CallbackFailed", []common.Hash{{1}}, uint64(9), []byte("why")),
	} {
		f.Add(l.Topics[0][:], l.Topics[1][:], uint8(len(l.Topics)), l.Data)
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, sig, topic []byte, topics uint8, data []byte) {
		l := chain.Log{Address: provider, Data: data}
		for i := range topics % 5 {
			h := common.BytesToHash(topic)
			if i == 0 {
				h = common.BytesToHash(sig)
			}
			l.Topics = append(l.Topics, h)
		}
		b := r.in.translate(chain.Update{Logs: []chain.Log{l}})
		if len(b.Seq) != 1 || len(b.Jobs) > len(b.Requests) {
			t.Fatalf("batch %+v", b)
		}
		// the payload decoder, which a valid event would reach
		for _, a := range []uint16{actionPin, actionUnpin} {
			n, _, ok := jobOf(chain.Request{Action: a, Payload: data})
			if !ok || n.Key == "" || len(n.Payload) == 0 {
				t.Fatalf("no job of %x", data)
			}
		}
	})
}

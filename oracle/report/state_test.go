package report

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/oracle/chain"
)

// batches is an endpoint that takes batches of calls, as well as it may.
type batches struct {
	w      *world
	asked  []int // how many calls each had
	refuse error
	bad    map[common.Hash]bool // of which a batch says nothing of use
}

func (b *batches) BatchCallContext(ctx context.Context, calls []rpc.BatchElem) error {
	b.asked = append(b.asked, len(calls))
	if b.refuse != nil {
		return b.refuse
	}
	for i := range calls {
		c := &calls[i]
		ask, block := c.Args[0].(map[string]any), c.Args[1]
		to, data := ask["to"].(common.Address), []byte(ask["input"].(hexutil.Bytes))
		if c.Method != "eth_call" || block != "latest" {
			return errors.New("no call of the latest block")
		}
		out, err := b.w.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
		switch id := common.BytesToHash(data[4:]); {
		case b.bad[id] && i%2 == 0:
			c.Error = errors.New("too many requests")
		case b.bad[id]:
			*c.Result.(*hexutil.Bytes) = nil
		default:
			c.Error, *c.Result.(*hexutil.Bytes) = err, out
		}
	}
	b.w.calledOf = 0
	return nil
}

// Requests are asked about in few batches of calls; of which one says nothing of use is
// asked about by itself, and an endpoint that takes no batches is believed for a while.
func TestRequestsAreAskedAboutTogether(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	b := &batches{w: w, bad: map[common.Hash]bool{}}
	w.inBatches = b
	w.start()
	sealed := func(all []*answer) (n int) {
		for _, a := range all {
			if a.state != chain.AnswerPending {
				n++
			}
		}
		return n
	}
	pass := func() {
		t.Helper()
		for range 2 {
			w.must()
			w.land()
			w.later(time.Second)
		}
	}

	all := w.several(inBatch + 10)
	closed := all[inBatch+3]
	w.states[closed.Request] = 5
	pass()
	if n := sealed(all); n != len(all)-1 || closed.state != chain.AnswerPending || len(b.asked) != 2 || b.asked[0]+b.asked[1] != len(all) || w.calledOf != 0 {
		t.Fatalf("%d of %d are sealed, asked %v, %d by themselves", n, len(all), b.asked, w.calledOf)
	}

	all = w.several(10)
	b.bad[all[2].Request], b.bad[all[3].Request] = true, true
	pass()
	if n := sealed(all); n != len(all) || w.calledOf != 2 {
		t.Fatalf("%d of %d are sealed, %d were asked about by themselves", n, len(all), w.calledOf)
	}

	b.refuse, b.asked, w.calledOf = errors.New("batches are not allowed"), nil, 0
	all = w.several(10)
	pass()
	more := w.several(10)
	pass()
	if n := sealed(append(all, more...)); n != 20 || len(b.asked) != 1 || w.calledOf != 20 {
		t.Fatalf("%d of 20 are sealed, %d batches, %d were asked about by themselves", n, len(b.asked), w.calledOf)
	}
	w.later(batchPause)
	b.refuse = nil
	more = w.several(10)
	pass()
	if n := sealed(more); n != 10 || len(b.asked) != 2 || w.calledOf != 0 {
		t.Fatalf("later: %d of 10 are sealed, %d batches, %d were asked about by themselves", n, len(b.asked), w.calledOf)
	}
}

// several is what endpoints say that must agree.
type several struct {
	w     *world
	says  map[common.Hash]uint8
	fail  error
	asked int
}

func (s *several) CallAgreed(_ context.Context, to common.Address, data []byte) ([]byte, error) {
	s.asked++
	if id := common.BytesToHash(data[4:]); s.fail == nil && to == providerAt {
		return common.LeftPadBytes([]byte{s.says[id]}, 32), nil
	}
	return nil, s.fail
}

// One endpoint does not keep an answer from the chain where several must agree; what it
// says holds where they agree with it, or cannot be asked. Requests that are open by
// its word cost no calls more.
func TestWhatKeepsAnAnswerBackIsAgreed(t *testing.T) {
	for name, c := range map[string]struct {
		one, agreed uint8
		fail        error
		none        bool // no quorum is configured
		sent        bool
	}{
		"all say that it is open":              {one: stateOpen, agreed: 3, sent: true},
		"being cancelled, it takes an answer":  {one: stateCancelling, agreed: 3, sent: true},
		"one says that it is closed":           {one: 3, agreed: stateOpen, sent: true},
		"one does not know it":                 {one: stateNone, agreed: stateCancelling, sent: true},
		"they agree that it is closed":         {one: 3, agreed: 3},
		"one does not know it, and it is over": {one: stateNone, agreed: 5},
		"they do not agree":                    {one: 3, agreed: stateOpen, fail: errors.New("no 2 of them return the same")},
		"one is enough":                        {one: 3, agreed: stateOpen, none: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{BatchWindow: time.Nanosecond})
			q := &several{w: w, says: map[common.Hash]uint8{}, fail: c.fail}
			if !c.none {
				w.quorum = q
			}
			w.start()
			a := w.several(1)[0]
			w.states[a.Request], q.says[a.Request] = c.one, c.agreed
			for range 2 {
				w.must()
				w.later(time.Second)
			}
			if sent := a.state != chain.AnswerPending; sent != c.sent {
				t.Errorf("sent: %t", sent)
			}
			asked := 1
			if c.none || c.one == stateOpen || c.one == stateCancelling {
				asked = 0
			}
			if q.asked != asked {
				t.Errorf("several were asked %d times", q.asked)
			}
			if c.sent {
				return
			}
			w.states[a.Request], q.fail = stateOpen, nil // what kept it back is over
			w.later(holdFirst)
			for range 2 {
				w.must()
				w.later(time.Second)
			}
			if a.state == chain.AnswerPending {
				t.Error("it is kept back for ever")
			}
		})
	}
}

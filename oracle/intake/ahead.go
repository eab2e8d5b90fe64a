package intake

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// decoded is what became of a log.
type decoded struct {
	event
	err  error
	work work // of a request
}

// work is the job that answers a request; the zero job where its action is not offered.
type work struct {
	job       job.New
	requester common.Address
	offered   bool
}

// Ahead decodes logs that an Update may bring soon, so that Apply, which makes the
// chain's reader wait, does not have to. It depends on the logs alone and changes
// nothing: what is never applied is forgotten. The logs must not change afterwards.
// watch.Deps.Ahead is the place for it.
func (in *Intake) Ahead(logs []chain.Log) {
	if len(logs) > 0 {
		in.ahead.put(logs, in.decodeAll(logs))
	}
}

// ahead is what was decoded and not yet applied, oldest first.
type ahead struct {
	mu    sync.Mutex
	parts []part
}

type part struct {
	logs    []chain.Log
	decoded []decoded
}

// mostAhead bounds what is kept: a part for the head, and some for readers of the pasts
// of contracts that were added.
const mostAhead = 4

func (a *ahead) put(logs []chain.Log, d []decoded) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.parts) == mostAhead {
		a.parts = slices.Delete(a.parts, 0, 1)
	}
	a.parts = append(a.parts, part{logs, d})
}

// take gives what these very logs were decoded to; others that say the same are not
// looked for.
func (a *ahead) take(logs []chain.Log) ([]decoded, bool) {
	if len(logs) == 0 {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.parts, func(p part) bool { return len(p.logs) == len(logs) && &p.logs[0] == &logs[0] })
	if i < 0 {
		return nil, false
	}
	d := a.parts[i].decoded
	a.parts = slices.Delete(a.parts, i, i+1)
	return d, true
}

// decodeAll decodes logs: many, as the past has, on all cores.
func (in *Intake) decodeAll(logs []chain.Log) []decoded {
	const share = 256
	out := make([]decoded, len(logs))
	part := func(from int) {
		for i := from; i < min(from+share, len(logs)); i++ {
			d := &out[i]
			if d.event, d.err = in.decode(logs[i]); d.err == nil && d.request != nil {
				d.work.job, d.work.requester, d.work.offered = jobOf(*d.request)
			}
		}
	}
	if len(logs) <= share {
		part(0)
		return out
	}
	var all sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for from := int(next.Add(share)) - share; from < len(logs); from = int(next.Add(share)) - share {
				part(from)
			}
		})
	}
	all.Wait()
	return out
}

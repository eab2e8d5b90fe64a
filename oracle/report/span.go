package report

import (
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// answered says of each answer of a batch that a part of its way is over.
func (r *Reporter) answered(b *chain.ReportBatch, name string, start, end time.Time, why string) {
	if r.span == nil {
		return
	}
	for _, a := range b.Items {
		if a.Trace != "" {
			r.span(job.Span{Trace: a.Trace, Name: name, Start: start, End: end, Request: strings.ToLower(a.Request.Hex()), Error: why})
		}
	}
}

// tellEnd says how the transaction of a batch ended, once, as its rows have it: the
// process that sent it may be another.
func (r *Reporter) tellEnd(b *chain.ReportBatch) {
	if _, told := r.ending[b.ID]; told {
		return
	}
	why := b.TxWhy
	if why == "" && (b.TxState != chain.TxFinal || b.TxReverted) {
		why = string(b.TxState)
	}
	if b.TxSent.IsZero() {
		r.answered(b, "send", b.TxQueued, b.TxUpdated, why)
		return
	}
	r.answered(b, "send", b.TxQueued, b.TxSent, "")
	r.answered(b, "final", b.TxSent, b.TxUpdated, why)
}

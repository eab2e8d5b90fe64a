package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/boxo/files"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/handler/pin"
	"github.com/tidegate/tidegate/executor/handler/release"
	"github.com/tidegate/tidegate/executor/handler/unpin"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

// senderLedger is the ledger as txmgr reads single values.
type senderLedger struct{ *store.Store }

func (l senderLedger) GetMeta(ctx context.Context, key string) (string, bool, error) {
	v, err := l.Store.GetMeta(ctx, key)
	if errors.Is(err, job.ErrNotFound) {
		return "", false, nil
	}
	return v, err == nil, err
}

// reportLedger is the ledger as the reporter writes it: as the leader, but for what
// this operator signs. That is bound for all its daemons by the ledger itself, and
// those that do not lead sign for other operators too.
type reportLedger struct {
	*store.Store
	any *store.Store
}

// RecordSigned implements report.Answers.
func (l reportLedger) RecordSigned(ctx context.Context, signer common.Address, results []chain.SignedResult, now time.Time) error {
	return l.any.RecordSigned(ctx, signer, results, now)
}

// contentNode is the node as the pin handler sees it.
type contentNode struct{ *ipfs.Node }

// Pin implements pin.Node.
func (n contentNode) Pin(ctx context.Context, s pin.Spec, progress func(job.Progress)) (pin.Stat, error) {
	got, err := n.Node.Pin(ctx, ipfs.PinSpec{
		Ref: s.Ref, Owner: s.Owner, Seq: s.Seq, Root: s.Root, Origins: s.Origins, MaxBytes: s.MaxBytes, Name: s.Name,
	}, progress)
	switch {
	case errors.Is(err, ipfs.ErrReleased):
		err = fmt.Errorf("%w: %w", pin.ErrReleased, err)
	case errors.Is(err, ipfs.ErrDiskFull):
		err = fmt.Errorf("%w: %w", pin.ErrNoRoom, err)
	}
	return pin.Stat{Blocks: got.Blocks, Bytes: got.Bytes, LogicalBytes: got.LogicalBytes, Fetched: got.Fetched}, err
}

// Release implements pin.Node.
func (n contentNode) Release(ctx context.Context, ref string) error {
	_, err := n.Node.Release(ctx, ref)
	return err
}

// droppingNode is the node as the unpin and release handlers see it.
type droppingNode struct{ *ipfs.Node }

// Unpin implements unpin.Node.
func (n droppingNode) Unpin(ctx context.Context, owner string, root cid.Cid, before uint64) (unpin.Stat, error) {
	got, err := n.Node.Unpin(ctx, owner, root, before)
	return unpin.Stat{Refs: got.Refs, BlocksFreed: got.BlocksFreed, BytesFreed: got.BytesFreed}, err
}

// Release implements release.Node.
func (n droppingNode) Release(ctx context.Context, ref string) (release.Stat, error) {
	got, err := n.Node.Release(ctx, ref)
	return release.Stat{BlocksFreed: got.BlocksFreed, BytesFreed: got.BytesFreed}, err
}

// apiNode is the node as the HTTP API sees it.
type apiNode struct{ d *Daemon }

func (n apiNode) Pins(ctx context.Context) ([]httpapi.Pin, error) {
	rows, err := n.d.node.ListPins(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Pin, 0, len(rows))
	for _, r := range rows {
		p := httpapi.Pin{Ref: r.Ref, Owner: r.Owner, Name: r.Name, State: string(r.State), Blocks: r.Blocks, Bytes: r.Bytes}
		if r.Root.Defined() {
			p.CID = r.Root.String()
		}
		if !r.Time.IsZero() {
			at := r.Time.UTC()
			p.CreatedAt = &at
		}
		out = append(out, p)
	}
	return out, nil
}

func (n apiNode) Release(ctx context.Context, ref string) (uint64, error) {
	got, err := n.d.node.Release(ctx, ref)
	return got.BlocksFreed, err
}

func (n apiNode) Verify(ctx context.Context) (httpapi.Verification, error) {
	got, err := n.d.node.Recount(ctx)
	if err != nil {
		return httpapi.Verification{}, err
	}
	v := httpapi.Verification{OK: got.Clean(), Pins: int(got.Pins), Blocks: got.Blocks}
	if problem := got.Err(); problem != nil {
		v.Problems = append([]string{problem.Error()}, got.Samples...)
	}
	return v, nil
}

func (n apiNode) Add(ctx context.Context, ref, name string, tar bool, body io.Reader) (httpapi.Added, error) {
	var f files.Node = files.NewReaderFile(body)
	if tar {
		dir, clean, err := untar(n.d.cfg.DataDir, body)
		if err != nil {
			return httpapi.Added{}, err
		}
		defer clean()
		f = dir
	}
	root, stat, err := n.d.node.Add(ctx, ipfs.AddSpec{Ref: ref, Owner: httpapi.LocalOwner, Name: name}, f)
	if err != nil {
		return httpapi.Added{}, err
	}
	return httpapi.Added{CID: root.String(), Ref: ref, Blocks: stat.Blocks, Bytes: stat.Bytes}, nil
}

func (n apiNode) Open(ctx context.Context, root, path string) (io.ReadSeekCloser, error) {
	c, err := cid.Decode(root)
	if err != nil {
		return nil, fmt.Errorf("the CID: %w", err)
	}
	return n.d.node.Open(ctx, c, path)
}

// requestReader gives the ledger's requests in the API's form.
type requestReader struct{ ledger *store.Store }

func (r requestReader) Requests(ctx context.Context, q httpapi.RequestQuery) ([]httpapi.Request, error) {
	f := chain.RequestFilter{State: chain.RequestState(q.State), BeforeSeq: q.BeforeSeq, Limit: q.Limit}
	if q.Requester != "" {
		f.Requester = common.HexToAddress(q.Requester)
	}
	rows, err := r.ledger.Requests(ctx, f)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Request, 0, len(rows))
	for _, row := range rows {
		out = append(out, viewRequest(row))
	}
	return out, nil
}

func (r requestReader) Request(ctx context.Context, id string) (httpapi.Request, error) {
	row, err := r.ledger.Request(ctx, common.HexToHash(id))
	if err != nil {
		return httpapi.Request{}, err
	}
	return viewRequest(row), nil
}

func viewRequest(r chain.Request) httpapi.Request {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	v := httpapi.Request{
		ID: r.ID.Hex(), Action: actionName(r.Action), Seq: r.Seq, State: string(r.State), Final: r.Final, ClosedFinal: r.ClosedFinal,
		Provider: strings.ToLower(r.Provider.Hex()), Consumer: strings.ToLower(r.Consumer.Hex()), Requester: strings.ToLower(r.Requester.Hex()),
		Reason: r.Reason.String(), CallbackFailed: r.CallbackFailed, Deadline: at(r.Deadline), Block: r.Log.Height, Tx: r.Log.Tx.Hex(),
		CreatedAt: at(r.CreatedAt), UpdatedAt: at(r.UpdatedAt),
	}
	if r.Outcome != job.OutcomeNone {
		v.Outcome = r.Outcome.String()
	}
	if r.CloseTx != (common.Hash{}) {
		v.CloseTx = r.CloseTx.Hex()
	}
	return v
}

// actionName gives Actions of IExecutionProvider in words.
func actionName(a uint16) string {
	names := [...]string{"", "pin", "unpin", "prepare", "served", "dealStatus"}
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("action %d", a)
}

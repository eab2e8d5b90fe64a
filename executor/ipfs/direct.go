package ipfs

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	bsmsg "github.com/ipfs/boxo/bitswap/message"
	pb "github.com/ipfs/boxo/bitswap/message/pb"
	bsnet "github.com/ipfs/boxo/bitswap/network"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// directPatience is how long a pin waits for blocks it asked a peer for
	// directly before it asks everyone through its session.
	directPatience = time.Second
	// directMisses is how many blocks a peer may lack before it is no longer
	// asked directly.
	directMisses    = 4
	directSendLimit = 10 * time.Second
)

// direct asks chosen peers for blocks at once, beside bitswap's sessions. A
// session first asks who has a block, and talks to a peer every 20 ms at most;
// when the origin of a pin is known, asking it costs one round trip. It watches
// the messages that bitswap receives, and takes out what its pins wait for.
type direct struct {
	net bsnet.BitSwapNetwork
	ctx context.Context
	wg  sync.WaitGroup

	mu    sync.Mutex
	waits map[cid.Cid]map[*fetcher]struct{}
	peers map[peer.ID]*directPeer
}

// directPeer collects what is to be said to one peer; a goroutine says it.
type directPeer struct {
	wants, cancels []cid.Cid
	running        bool
	sender         bsnet.MessageSender // used by the goroutine, and to end it
}

func newDirect(ctx context.Context, net bsnet.BitSwapNetwork) *direct {
	return &direct{
		net: net, ctx: ctx,
		waits: make(map[cid.Cid]map[*fetcher]struct{}),
		peers: make(map[peer.ID]*directPeer),
	}
}

// ask wants blocks from p for f.
func (d *direct) ask(f *fetcher, p peer.ID, cs []cid.Cid) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range cs {
		w := d.waits[c]
		if w == nil {
			w = make(map[*fetcher]struct{}, 1)
			d.waits[c] = w
		}
		w[f] = struct{}{}
	}
	d.say(p, cs, nil)
}

// forget ends f's wait for a block; p is told if no other pin waits for it.
func (d *direct) forget(f *fetcher, p peer.ID, c cid.Cid, tell bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.waits[c]
	if _, ok := w[f]; !ok {
		return
	}
	if delete(w, f); len(w) > 0 {
		return
	}
	delete(d.waits, c)
	if tell {
		d.say(p, nil, []cid.Cid{c})
	}
}

// say queues a message; the caller holds mu.
func (d *direct) say(p peer.ID, wants, cancels []cid.Cid) {
	dp := d.peers[p]
	if dp == nil {
		dp = new(directPeer)
		d.peers[p] = dp
	}
	dp.wants = append(dp.wants, wants...)
	dp.cancels = append(dp.cancels, cancels...)
	if !dp.running && d.ctx.Err() == nil {
		dp.running = true
		d.wg.Go(func() { d.talk(p, dp) })
	}
}

// talk sends what is queued for a peer until nothing is left; what queues up
// during one message makes the next.
func (d *direct) talk(p peer.ID, dp *directPeer) {
	for {
		d.mu.Lock()
		wants, cancels := dp.wants, dp.cancels
		dp.wants, dp.cancels = nil, nil
		if len(wants)+len(cancels) == 0 {
			dp.running = false
			d.mu.Unlock()
			return
		}
		msg := bsmsg.New(false)
		for _, c := range cancels {
			if d.waits[c] == nil {
				msg.Cancel(c)
			}
		}
		asked := wants[:0]
		for _, c := range wants {
			if d.waits[c] != nil {
				msg.AddEntry(c, int32(math.MaxInt32-len(asked)), pb.Message_Wantlist_Block, true)
				asked = append(asked, c)
			}
		}
		d.mu.Unlock()
		if msg.Empty() {
			continue
		}
		if err := d.send(p, dp, msg); err != nil {
			for _, c := range asked {
				d.deliver(arrival{c: c, from: p, miss: true})
			}
		}
	}
}

func (d *direct) send(p peer.ID, dp *directPeer, msg bsmsg.BitSwapMessage) error {
	ctx, cancel := context.WithTimeout(d.ctx, directSendLimit)
	defer cancel()
	d.mu.Lock()
	sender := dp.sender
	d.mu.Unlock()
	if sender == nil {
		var err error
		opts := &bsnet.MessageSenderOpts{MaxRetries: 1, SendTimeout: directSendLimit, SendErrorBackoff: 100 * time.Millisecond}
		if sender, err = d.net.NewMessageSender(ctx, p, opts); err != nil {
			return err
		}
		d.mu.Lock()
		dp.sender = sender
		d.mu.Unlock()
	}
	err := sender.SendMsg(ctx, msg)
	if err != nil {
		d.mu.Lock()
		dp.sender = nil
		d.mu.Unlock()
		_ = sender.Reset() // it failed already
	}
	return err
}

// deliver hands a block, or the news that a peer lacks it, to the pins that wait.
func (d *direct) deliver(a arrival) {
	d.mu.Lock()
	var to []*fetcher
	for f := range d.waits[a.c] {
		to = append(to, f)
	}
	d.mu.Unlock()
	for _, f := range to {
		select {
		case f.arrivals <- a:
		case <-f.ctx.Done():
		}
	}
}

// received looks through a message on its way to bitswap.
func (d *direct) received(p peer.ID, m bsmsg.BitSwapMessage) {
	for _, b := range m.Blocks() {
		d.deliver(arrival{c: b.Cid(), data: b.RawData(), from: p})
	}
	for _, c := range m.DontHaves() {
		d.deliver(arrival{c: c, from: p, miss: true})
	}
}

// gone forgets a peer that disconnected; pins that wait for it ask others when
// their patience ends.
func (d *direct) gone(p peer.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dp := d.peers[p]; dp != nil && !dp.running {
		if dp.sender != nil {
			_ = dp.sender.Reset() // its connection is gone
		}
		delete(d.peers, p)
	}
}

// close waits for what is being sent; the node's context has ended.
func (d *direct) close() {
	d.wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dp := range d.peers {
		if dp.sender != nil {
			_ = dp.sender.Reset() // best effort, the host closes next
		}
	}
	clear(d.peers)
}

// tap is bitswap's network with direct listening in.
type tap struct {
	bsnet.BitSwapNetwork
	d *direct
}

func (t *tap) Start(rs ...bsnet.Receiver) {
	wrapped := slices.Clone(rs)
	if len(wrapped) > 0 {
		wrapped[0] = &tapped{wrapped[0], t.d}
	}
	t.BitSwapNetwork.Start(wrapped...)
}

type tapped struct {
	bsnet.Receiver
	d *direct
}

func (t *tapped) ReceiveMessage(ctx context.Context, p peer.ID, m bsmsg.BitSwapMessage) {
	t.Receiver.ReceiveMessage(ctx, p, m)
	t.d.received(p, m)
}

func (t *tapped) PeerDisconnected(p peer.ID) {
	t.Receiver.PeerDisconnected(p)
	t.d.gone(p)
}

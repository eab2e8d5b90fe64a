// Package demo shows the whole of Tidegate on one machine: a development chain
// with the contracts, the daemon, and a second IPFS peer that holds a generated
// directory tree. Everything in it is the real thing; only the chain's money and
// the keys are not.
//
// Map:
//
//	demo.go     Run: the order of the show, what stays up at the end
//	stack.go    devnet, contracts, daemon and peer, started and stopped
//	wallet.go   a wallet's calls and what the chain answers
//	follow.go   prints a request's journey as it happens
//	stories.go  the happy story and the three unhappy ones
//	deals.go    copies with storage providers, proven and renewed
//	dao.go      a vote that ends in a pin and a deal
//	slots.go    what contract and providers are asked about copies, and time
//	tree.go     the generated content
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tidegate/tidegate/executor/httpapi"
)

// DefaultBlockTime is slow enough to be watched.
const DefaultBlockTime = time.Second

// Options are the choices of `tidegate demo`.
type Options struct {
	Seed    uint64 // of the generated tree; the same seed, the same CID
	Exit    bool   // end after the stories rather than stay up
	JSON    bool   // end with one JSON line on Out
	DataDir string // "" uses a temporary directory that is removed at the end
	RPCPort int    // of the devnet; 0 picks a free one
	// BlockTime is how long an epoch of the devnet takes; DefaultBlockTime if 0.
	BlockTime time.Duration
	Out       io.Writer
	Log       io.Writer // the journey, for people
}

// Answer is one answered request, as the JSON line gives it.
type Answer struct {
	ID      string `json:"id"`
	CID     string `json:"cid"`
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	Bytes   uint64 `json:"bytes"`
	Blocks  uint64 `json:"blocks"`
	Tx      string `json:"tx"`  // the answering transaction
	Gas     uint64 `json:"gas"` // its gas; shared by all answers of its batch
	Millis  int64  `json:"ms"`  // from the wallet's click to the answer on chain
}

// summary is the last line with JSON.
type summary struct {
	OK       bool     `json:"ok"`
	Error    string   `json:"error,omitempty"`
	Requests []Answer `json:"requests"`
	// Deals are all that were proposed to providers, in order, as the daemon's API has them.
	Deals []httpapi.Deal `json:"deals"`
}

// show is a running demo.
type show struct {
	Options
	*stack
	began   time.Time
	answers []Answer
	made    []httpapi.Deal
	bar     bool // a progress bar is on the last line
}

// Run plays the demo. It ends when the stories are over (with Exit), when ctx
// ends, or when something goes wrong, which is always an error.
func Run(ctx, hasten context.Context, o Options) error {
	if o.BlockTime == 0 {
		o.BlockTime = DefaultBlockTime
	}
	s := &show{Options: o, began: time.Now()}
	err := s.play(ctx, hasten)
	if o.JSON {
		sum := summary{OK: err == nil, Requests: append([]Answer{}, s.answers...), Deals: append([]httpapi.Deal{}, s.made...)}
		if err != nil {
			sum.Error = err.Error()
		}
		line, jsonErr := json.Marshal(sum)
		if jsonErr != nil {
			return fmt.Errorf("encoding the summary: %w", jsonErr)
		}
		fmt.Fprintln(o.Out, string(line))
	}
	return err
}

func (s *show) play(ctx, hasten context.Context) (err error) {
	dir := s.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tidegate-demo-"); err != nil {
			return fmt.Errorf("making a temporary directory: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	s.title("Starting a chain, the contracts, the daemon and a peer")
	if s.stack, err = startStack(ctx, hasten, dir, s.Options, s.say); err != nil {
		return err
	}
	defer func() {
		if stopErr := s.stack.stop(); err == nil {
			err = stopErr
		}
	}()
	for _, story := range []func(context.Context) error{s.happy, s.storeIt, s.daoVotes, s.nobodyHasIt, s.unpin, s.callbackReverts} {
		if err := s.whileUp(ctx, story); err != nil {
			return err
		}
	}
	if s.Exit {
		s.title("Done")
		return nil
	}
	s.invite()
	return s.whileUp(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
}

// whileUp runs f, and ends it when a part of the stack fails.
func (s *show) whileUp(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-s.stack.failed:
		cancel()
		<-done
		return s.stack.failure()
	}
}

// invite says what is up and how to use it.
func (s *show) invite() {
	s.title("Everything stays up. Ctrl-C ends it.")
	user := s.user(userFree)
	s.plain(`
  chain RPC        %s   (chain id %d; ws on the same port)
  EstuaryPinning   %s
  EstuaryProvider  %s
  local API        http://%s/api/v1
  metrics, health  http://%s/metrics  /healthz  /readyz
  IPFS node        %s

Ask for your own content (any IPFS peer that this machine can dial may be its origin):

  RPC=%s PINNING=%s
  KEY=%s   # a devnet key, worthless elsewhere
  CID=$(tidegate pin add --quiet --api http://%s --data-dir %s --file README.md)
  FEE=$(cast call --rpc-url $RPC $PINNING "quotePin()(uint96,uint96)" | head -1 | cut -d' ' -f1)
  cast send --rpc-url $RPC --private-key $KEY $PINNING "pinToEstuary(string)" $CID --value $FEE
  cast call --rpc-url $RPC $PINNING "statusOf(string)(uint8)" $CID      # 1 requested, 2 pinned, 3 failed

`, s.rpc, s.chainID, s.pinningAddr, s.providerAddr, s.cfg.HTTP.Listen, s.cfg.HTTP.Admin, s.nodeAddr(),
		s.rpc, s.pinningAddr, user.PrivateKey, s.cfg.HTTP.Listen, s.cfg.DataDir)
}

// title starts a part of the show.
func (s *show) title(format string, args ...any) {
	s.endBar()
	fmt.Fprintf(s.Log, "\n== %s\n", fmt.Sprintf(format, args...))
}

// say prints one step with the time since the demo began.
func (s *show) say(format string, args ...any) {
	s.endBar()
	fmt.Fprintf(s.Log, "%8.3fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func (s *show) plain(format string, args ...any) {
	s.endBar()
	fmt.Fprintf(s.Log, format, args...)
}

func (s *show) endBar() {
	if s.bar {
		fmt.Fprintln(s.Log)
		s.bar = false
	}
}

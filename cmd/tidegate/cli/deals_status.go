package cli

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

const (
	// statusGas is promised to an answer, in which the actors are asked: on Filecoin ample.
	statusGas = 900_000_000
	// statusPoll is how often the chain is asked whether there is an answer.
	statusPoll = time.Second
	// mostRange is how many blocks back an answer is looked for; nodes refuse 2,880 and more.
	mostRange = 2000
)

func dealsStatusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "ask on chain whether a deal or a sector is stored, and wait for the answer and its proof", ArgsUsage: "F05DEAL",
		Description: "Of a deal of the storage market by its number, or of a sector that was shown to hold a piece (--miner, --sector, --piece). Operators find where the\n" +
			"sector is; in the transaction that brings their answer DealStatusOracle asks Filecoin's actors, and what they say is `proven`. Where they say\n" +
			"nothing the operators' word is told as such, or that it is unknown. What is paid too much, and the fee if nobody answers, becomes the sender's\n" +
			"credit at EstuaryProvider. With --last nothing is sent or paid: the last answer is shown.",
		Flags: append(chainFlags(senderFlags()...),
			&cli.StringFlag{Name: "desk", Usage: "`ADDRESS` of StatusDesk; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_STATUS_DESK")},
			&cli.StringFlag{Name: "miner", Usage: "the `MINER` of a sector, f01234, in place of a deal"},
			&cli.Uint64Flag{Name: "sector", Usage: "its `NUMBER`"},
			&cli.StringFlag{Name: "piece", Usage: "`CID` of the piece that it holds"},
			&cli.Uint32Flag{Name: "gas", Value: statusGas, Usage: "promised to the answer, in the chain's own unit"},
			&cli.BoolFlag{Name: "last", Usage: "show the last answer that there is, and ask nothing"},
			&cli.BoolFlag{Name: "no-wait", Usage: "ask, and do not wait for the answer"}),
		Action: dealsStatus,
	}
}

// dealAnswer is what became of a question.
type dealAnswer struct {
	Status      string       `json:"status"` // unknown, none, published, active, faulty, ended, lost
	Epoch       uint64       `json:"epoch,omitempty"`
	Proven      bool         `json:"proven"` // by the actors, in Transaction; else operators say so
	Reason      string       `json:"reason,omitempty"`
	Miner       uint64       `json:"minerId,omitempty"`
	Start       uint64       `json:"start,omitempty"`
	End         uint64       `json:"end,omitempty"`
	Transaction *common.Hash `json:"transaction,omitempty"`
	Block       uint64       `json:"block,omitempty"`
	Signers     int          `json:"signers,omitempty"`
	Oracle      string       `json:"oracle"` // DealStatusOracle, which keeps what is proven
}

// question is what StatusDesk is asked.
type question struct {
	c      *cli.Command
	client *ethclient.Client
	at     common.Address
	desk   *statusdesk.StatusDesk
	ref    statusdesk.DealRef
	words  string
	oracle common.Address // DealStatusOracle
}

func dealsStatus(ctx context.Context, c *cli.Command) error {
	q := &question{c: c, desk: statusdesk.NewStatusDesk()}
	if err := q.read(); err != nil {
		return err
	}
	if c.Bool("last") {
		return q.last(ctx)
	}
	s, err := openCaller(ctx, c, func(s *spAt) error { return q.find(ctx, s.client, s.chain) })
	if err != nil {
		return err
	}
	defer s.close()
	fee, err := view(ctx, q.client, q.at, q.desk.PackQuote(c.Uint32("gas")), q.desk.UnpackQuote)
	if err != nil {
		return err
	}
	return s.perform(ctx, spStep{
		to: q.at, value: fee, data: q.desk.PackAsk(q.ref, c.Uint32("gas"), s.seen), before: []string{"asks", "what became of " + q.words, "gas for the answer", fmt.Sprint(c.Uint32("gas"))},
		after: func(_ context.Context, height uint64, logs []*types.Log, done *spDone) error { // waiting has a time of its own
			return q.asked(ctx, height, logs, done)
		},
	})
}

// read is what the command line asks about.
func (q *question) read() error {
	c := q.c
	if miner := c.String("miner"); miner != "" {
		if c.Args().Present() || !c.IsSet("sector") || c.String("piece") == "" {
			return usage("of a sector give --miner, --sector and --piece, and no deal")
		}
		id, err := minerID(miner)
		if err != nil {
			return err
		}
		p, err := piece.Parse(c.String("piece"))
		if err != nil {
			return usage("--piece: %v", err)
		}
		q.ref = statusdesk.DealRef{Miner: id, Sector: c.Uint64("sector"), Commitment: p.Root}
		q.words = fmt.Sprintf("sector %d of f0%d with piece %s", q.ref.Sector, id, p.CID())
		return nil
	}
	if c.Args().Len() != 1 || c.IsSet("sector") || c.String("piece") != "" {
		return usage("deals status needs the number of a deal of f05; or --miner, --sector and --piece")
	}
	id, err := number(c.Args().First(), "deal of f05", 0)
	q.ref, q.words = statusdesk.DealRef{DealId: id}, fmt.Sprintf("f05 deal %d", id)
	return err
}

func (q *question) find(ctx context.Context, client *ethclient.Client, chain *big.Int) (err error) {
	q.client = client
	if q.at, err = contractAt(q.c, chain, "desk", bindings.StatusDesk); err != nil {
		return err
	}
	q.oracle, err = view(ctx, client, q.at, q.desk.PackStatus(), q.desk.UnpackStatus)
	return err
}

// last shows the last answer, for nothing.
func (q *question) last(ctx context.Context) error {
	client, chain, err := dialRPC(ctx, q.c)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := q.find(ctx, client, chain); err != nil {
		return err
	}
	got, err := view(ctx, client, q.at, q.desk.PackAnswerOf(q.ref), q.desk.UnpackAnswerOf)
	if err != nil {
		return err
	}
	if got == (statusdesk.IStatusDeskAnswer{}) {
		return fmt.Errorf("nobody asked about %s, or it is not answered yet: ask without --last", q.words)
	}
	a := dealAnswer{Status: job.ChainStatus(got.Status).String(), Epoch: got.Epoch, Proven: got.Proven}
	if err := q.term(ctx, &a); err != nil {
		return err
	}
	if q.c.Bool("json") {
		return printJSON(q.c.Root().Writer, a)
	}
	_, err = fmt.Fprintln(q.c.Root().Writer, q.say(a))
	return err
}

// asked follows a question that is in a block until it is answered.
func (q *question) asked(ctx context.Context, height uint64, logs []*types.Log, done *spDone) error {
	var terms estuaryprovider.Terms
	var provider common.Address
	var id common.Hash
	for _, log := range logs {
		if e, err := estuaryprovider.NewEstuaryProvider().UnpackOracleRequestedEvent(log); err == nil && e.Consumer == q.at {
			id, terms, provider = e.RequestId, e.Terms, log.Address
		}
	}
	if provider == (common.Address{}) {
		return fmt.Errorf("transaction %s asked nothing: is %s a StatusDesk?", done.Transaction, q.at)
	}
	done.Request = id.Hex()
	deadline := time.Unix(terms.Deadline.Int64(), 0)
	if q.c.Bool("no-wait") {
		done.words = fmt.Sprintf("Asked about %s in block %d, as request %s; answered by %s. See with --last.", q.words, height, id, deadline.Format(time.RFC3339))
		return nil
	}
	q.progress("asked in block %d as request %s; operators answer once that block is final, by %s", height, id, deadline.Format(time.RFC3339))
	head, err := q.answered(ctx, provider, id, height, uint64(terms.Deadline.Int64()))
	if err != nil {
		return fmt.Errorf("request %s: %w", id, err)
	}
	a, err := q.told(ctx, provider, id, max(height, head-min(head, mostRange)), head)
	if err != nil {
		return err
	}
	done.Answer, done.words = &a, q.say(a)
	return nil
}

func (q *question) progress(format string, args ...any) {
	fmt.Fprintf(q.c.Root().ErrWriter, format+"\n", args...)
}

// States of a request, as IExecutionProvider.RequestState numbers them.
const (
	requestAnswered = 3 + iota
	requestCallbackFailed
	requestRefunded
)

// errNoAnswer is what nobody answering comes to.
var errNoAnswer = errors.New("nobody answered in time")

// answered waits until a request is closed, and gives the head at which it is.
func (q *question) answered(ctx context.Context, provider common.Address, id common.Hash, asked, deadline uint64) (head uint64, err error) {
	x := estuaryprovider.NewEstuaryProvider()
	tick := time.NewTicker(statusPoll)
	defer tick.Stop()
	for final := false; ; {
		at, err := q.block(ctx, "latest")
		if err != nil {
			return 0, err
		}
		state, err := view(ctx, q.client, provider, x.PackStateOf(id), x.UnpackStateOf)
		switch {
		case err != nil:
			return 0, err
		case state == requestAnswered:
			return uint64(at.Number), nil
		case state == requestCallbackFailed:
			return 0, fmt.Errorf("it is answered, but %d gas did not suffice to ask the actors: anyone may have %s try again (retryCallback), or ask anew with more --gas", q.c.Uint32("gas"), provider)
		case state == requestRefunded, uint64(at.Timestamp) > deadline:
			return 0, fmt.Errorf("%w: does an operator of %s run a daemon with the kind `status`? The fee is the sender's credit there once anyone refunds it", errNoAnswer, provider)
		}
		if !final {
			end, err := q.block(ctx, "finalized")
			if err != nil {
				return 0, err
			}
			if final = uint64(end.Number) >= asked; final {
				q.progress("block %d is final; waiting for the operators", asked)
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("waiting for the answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// blockAt is what is needed of a block; of Filecoin's, go-ethereum computes other hashes.
type blockAt struct {
	Number    hexutil.Uint64 `json:"number"`
	Timestamp hexutil.Uint64 `json:"timestamp"`
}

func (q *question) block(ctx context.Context, tag string) (b blockAt, err error) {
	if err = q.client.Client().CallContext(ctx, &b, "eth_getBlockByNumber", tag, false); err != nil {
		err = fmt.Errorf("asking for the %s block: %w", tag, err)
	}
	return b, err
}

// told reads the events that answered a request.
func (q *question) told(ctx context.Context, provider common.Address, id common.Hash, from, to uint64) (dealAnswer, error) {
	a := dealAnswer{Status: job.StatusUnknown.String()}
	logs, err := q.client.FilterLogs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(to), Addresses: []common.Address{q.at, provider}, Topics: [][]common.Hash{nil, {id}},
	})
	if err != nil {
		return a, fmt.Errorf("reading the answer: %w", err)
	}
	for _, log := range logs {
		if e, err := estuaryprovider.NewEstuaryProvider().UnpackOracleAnsweredEvent(&log); err == nil && log.Address == provider {
			a.Transaction, a.Block = &log.TxHash, log.BlockNumber
			for _, word := range e.Signers.Bits() {
				a.Signers += bits.OnesCount(uint(word))
			}
		}
		if log.Address != q.at {
			continue
		}
		if e, err := q.desk.UnpackStatusAnsweredEvent(&log); err == nil {
			a.Status, a.Epoch, a.Proven = job.ChainStatus(e.Status).String(), e.Epoch, e.Proven
		}
		if e, err := q.desk.UnpackStatusUnknownEvent(&log); err == nil && e.Reason != 0 {
			a.Reason = job.Reason(e.Reason).String()
		}
	}
	if a.Transaction == nil {
		return a, fmt.Errorf("request %s is answered, and no event says how in blocks %d to %d", id, from, to)
	}
	return a, q.term(ctx, &a)
}

// term reads what DealStatusOracle keeps.
func (q *question) term(ctx context.Context, a *dealAnswer) error {
	o := dealstatusoracle.NewDealStatusOracle()
	a.Oracle = q.oracle.Hex()
	t, err := view(ctx, q.client, q.oracle, o.PackTermOf(dealstatusoracle.DealRef(q.ref)), o.UnpackTermOf)
	if err == nil {
		a.Miner, a.Start, a.End = t.MinerId, t.Start, t.End
	}
	return err
}

func (q *question) say(a dealAnswer) string {
	var b strings.Builder
	about := strings.ToUpper(q.words[:1]) + q.words[1:]
	if a.Status == job.StatusUnknown.String() {
		fmt.Fprintf(&b, "%s: unknown. Neither the actors nor the operators can say", about)
		if a.Reason != "" {
			fmt.Fprintf(&b, " (%s)", a.Reason)
		}
	} else {
		fmt.Fprintf(&b, "%s: %s at epoch %d", about, a.Status, a.Epoch)
	}
	if a.Miner != 0 {
		fmt.Fprintf(&b, ", with f0%d, epochs %d to %d", a.Miner, a.Start, a.End)
	}
	b.WriteString(".\n")
	switch {
	case a.Proven:
		fmt.Fprintf(&b, "Proven: Filecoin's actors said so, asked by DealStatusOracle %s", a.Oracle)
	case a.Status != job.StatusUnknown.String():
		fmt.Fprintf(&b, "Not proven: the operators say so, and the actors did not")
	default:
		fmt.Fprintf(&b, "A sector counts only once it was shown to hold its piece, a deal only if somebody looked while it was there: docs/deal-status.md")
	}
	if a.Transaction != nil {
		fmt.Fprintf(&b, " (transaction %s, block %d, signed by %d)", a.Transaction, a.Block, a.Signers)
	}
	return strings.TrimSpace(b.String())
}

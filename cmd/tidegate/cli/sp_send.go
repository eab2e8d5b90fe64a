package cli

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/market"
)

// spStep is one call of a contract: what is shown before it, and what is read after.
type spStep struct {
	to     common.Address // zero: PerpetualStorage
	data   []byte
	value  *big.Int // attoFIL, sent along
	before []string // name, value, …
	// after tells of the result; the height is where its effects are seen.
	after func(ctx context.Context, height uint64, logs []*types.Log, done *spDone) error
}

// slotState is a slot after a call.
type slotState struct {
	ID           string `json:"slotId"`
	State        string `json:"state"`
	Faulty       bool   `json:"faulty,omitempty"`
	Miner        uint64 `json:"minerId,omitempty"`
	Payee        string `json:"payee,omitempty"` // who is credited, as contracts see it
	Bond         string `json:"bond"`
	Earned       string `json:"earned"`
	Obligation   string `json:"obligation"`
	SealDeadline uint32 `json:"sealDeadline,omitempty"`
	Start        uint32 `json:"start,omitempty"`
	End          uint32 `json:"end,omitempty"`
	LastProof    uint32 `json:"lastProof,omitempty"`
}

// spDone is what a call became.
type spDone struct {
	Transaction common.Hash `json:"transaction"`
	Message     string      `json:"message,omitempty"`
	Block       uint64      `json:"block"`
	GasUsed     uint64      `json:"gasUsed"`
	Value       string      `json:"value"`
	Slots       []slotState `json:"slots,omitempty"`
	Allocation  uint64      `json:"allocationId,omitempty"`
	Credit      string      `json:"credit,omitempty"` // what the caller, or for proofs the payee, can withdraw now
	Request     string      `json:"requestId,omitempty"`
	Answer      *dealAnswer `json:"answer,omitempty"`
	Deal        *dealState  `json:"deal,omitempty"`
	Pool        *poolState  `json:"pool,omitempty"`
	Entry       *entryState `json:"entry,omitempty"`
	Escrow      string      `json:"escrow,omitempty"` // what of an order of deals was credited at EstuaryPinning
	words       string
}

// proposal is what a multisig's signer proposes.
type proposal struct {
	Multisig string `json:"multisig"`
	To       string `json:"to"`
	Value    string `json:"value"`
	Method   uint64 `json:"method"`
	Params   string `json:"params"`
	Propose  struct {
		Method uint64 `json:"method"`
		Params string `json:"params"`
	} `json:"propose"`
	Command string `json:"command"`
}

// perform shows a call, tries it, asks, sends it, and tells what came of it.
func (s *spAt) perform(ctx context.Context, step spStep) error {
	call := market.Call{To: step.to, Value: step.value, Data: step.data}
	if step.to == (common.Address{}) {
		call.To = s.storage.Address()
	}
	if call.Value == nil {
		call.Value = new(big.Int)
	}
	if err := s.try(ctx, call); err != nil {
		return err
	}
	if !s.msig.Empty() {
		return s.print(call, step.before)
	}
	most, send, err := s.price(ctx, call)
	if err != nil {
		return err
	}
	shown := append([]string{"from", s.words}, step.before...)
	if call.Value.Sign() > 0 {
		shown = append(shown, "sent along", filText(call.Value))
	}
	shown = append(shown, "gas at most", filText(most))
	if err := pairs(s.c.Root().ErrWriter, shown...); err != nil {
		return err
	}
	if err := confirm(s.c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.c.Duration("timeout"))
	defer cancel()
	out, err := send(ctx)
	if err != nil {
		return err
	}
	receipt, err := bind.WaitMined(ctx, s.client, out.hash)
	if err != nil {
		return fmt.Errorf("waiting for the receipt of %s: %w", out.hash, err)
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return fmt.Errorf("transaction %s reverted in block %s: what it found was changed meanwhile", out.hash, receipt.BlockNumber)
	}
	done := spDone{Transaction: out.hash, Message: out.message, Block: receipt.BlockNumber.Uint64(), GasUsed: receipt.GasUsed, Value: call.Value.String()}
	if err := step.after(ctx, done.Block, receipt.Logs, &done); err != nil {
		return err
	}
	if s.c.Bool("json") {
		return printJSON(s.c.Root().Writer, done)
	}
	_, err = fmt.Fprintln(s.c.Root().Writer, done.words)
	return err
}

// print shows what is to be proposed to a multisig.
func (s *spAt) print(call market.Call, before []string) error {
	p, err := call.Propose(s.msig)
	if err != nil {
		return err
	}
	v := proposal{
		Multisig: market.Text(p.Multisig), To: market.Text(p.To), Value: p.Value.String(), Method: uint64(p.Method), Params: fmt.Sprintf("%x", p.Params),
	}
	v.Propose.Method, v.Propose.Params = market.MethodPropose, fmt.Sprintf("%x", p.Propose)
	v.Command = fmt.Sprintf("lotus msig propose --from SIGNER %s %s %s %d %s", v.Multisig, v.To, strings.TrimSuffix(filText(p.Value), " FIL"), v.Method, v.Params)
	if s.c.Bool("json") {
		return printJSON(s.c.Root().Writer, v)
	}
	if err := pairs(s.c.Root().ErrWriter, append([]string{"from", s.words}, append(before, "sent along", filText(p.Value))...)...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.c.Root().Writer, "As the chain is now, this goes through. One of the multisig's signers proposes it, and the others approve:\n\n  %s\n\nOr as a message: to %s, method %d, params\n\n  %s\n",
		v.Command, v.Multisig, v.Propose.Method, v.Propose.Params)
	return err
}

// tell reads slots and the credit of an account after a call.
func (s *spAt) tell(ctx context.Context, height uint64, done *spDone, account common.Address, ids ...uint64) error {
	for _, id := range ids {
		d, err := s.storage.Slot(ctx, height, id)
		if err != nil {
			return err
		}
		payee := ""
		if d.Payee != (common.Address{}) {
			payee = d.Payee.Hex()
		}
		done.Slots = append(done.Slots, slotState{
			Payee: payee, ID: fmt.Sprint(id), State: d.State.String(), Faulty: d.Faulty, Miner: d.Miner, Bond: d.Bond.String(), Earned: d.Earned.String(),
			Obligation: d.Obligation.String(), SealDeadline: d.SealDeadline, Start: d.Start, End: d.End, LastProof: d.LastProof,
		})
	}
	credit, err := s.storage.Credit(ctx, height, account)
	if err == nil {
		done.Credit = credit.String()
	}
	return err
}

// eventIn is the first event of a kind that a contract logged; nil for none.
func eventIn[T any](logs []*types.Log, of common.Address, unpack func(*types.Log) (*T, error)) *T {
	for _, log := range logs {
		if e, err := unpack(log); err == nil && log.Address == of {
			return e
		}
	}
	return nil
}

// at says when an epoch is, as seen from the head.
func (s *spAt) at(epoch uint32) string {
	return fmt.Sprintf("epoch %d (in %s)", epoch, (time.Duration(int64(epoch)-int64(s.height)) * 30 * time.Second).Round(time.Minute))
}

// slotArg reads the slot that a command begins with.
func slotArg(c *cli.Command, n int, words string) (uint64, error) {
	if c.Args().Len() != n {
		return 0, usage("%s needs %s", c.Name, words)
	}
	return number(c.Args().First(), "slot", 1)
}

// onSlot makes a command's action of its call, whose one argument is the slot that words name.
func onSlot(words string, build func(ctx context.Context, s *spAt, slot uint64, d market.Detail) (spStep, error)) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		slot, err := slotArg(c, 1, words)
		if err != nil {
			return err
		}
		s, err := openSp(ctx, c)
		if err != nil {
			return err
		}
		defer s.close()
		d, err := s.storage.Slot(ctx, s.height, slot)
		if err != nil {
			return err
		}
		step, err := build(ctx, s, slot, d)
		if err != nil {
			return err
		}
		return s.perform(ctx, step)
	}
}

// slotArgs reads the slots that a command is for.
func slotArgs(c *cli.Command) ([]uint64, error) {
	var ids []uint64
	for _, text := range c.Args().Slice() {
		id, err := number(text, "slot", 1)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, usage("sp %s needs one slot or more", c.Name)
	}
	return ids, nil
}

func number(text, what string, least uint64) (uint64, error) {
	var n uint64
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || fmt.Sprint(n) != text || n < least {
		return 0, usage("%q is not the number of a %s", text, what)
	}
	return n, nil
}

var errNothingOpen = errors.New("nothing is open")

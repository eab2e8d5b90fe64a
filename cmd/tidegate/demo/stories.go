package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/boxo/files"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/revertingnote"
	"github.com/tidegate/tidegate/executor/ipfs"
)

// happy pins the peer's tree, then reads it back without the peer.
func (s *show) happy(ctx context.Context) error {
	s.title("A wallet asks for a directory tree that only the peer has")
	root, stat, err := s.peer.Add(ctx, ipfs.AddSpec{Ref: "local:demo", Name: "tree"}, tree(s.Seed))
	if err != nil {
		return fmt.Errorf("generating the tree: %w", err)
	}
	s.treeRoot = root
	s.say("peer     holds %s: %d blocks, %d bytes", root, stat.Blocks, stat.Bytes)
	got, err := s.pin(ctx, userAlice, root, s.peerOrigin())
	if err != nil {
		return err
	}
	if got.Outcome != "succeeded" {
		return fmt.Errorf("the pin %s: %s", got.Outcome, got.Reason)
	}
	if got.Blocks != stat.Blocks || got.Bytes != stat.Bytes {
		return fmt.Errorf("pinned %d blocks and %d bytes, the peer has %d and %d", got.Blocks, got.Bytes, stat.Blocks, stat.Bytes)
	}
	if err := s.expectStatus(ctx, root.String(), "Pinned"); err != nil {
		return err
	}
	if err := s.stopPeer(); err != nil {
		return err
	}
	s.say("peer     stopped")
	return s.readBack(ctx, root)
}

// pin asks for a CID with an origin and follows the request.
func (s *show) pin(ctx context.Context, user int, root cid.Cid, origins ...string) (Answer, error) {
	quote, err := bind.Call(s.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackQuotePin(), pinningABI.UnpackQuotePin)
	if err != nil {
		return Answer{}, fmt.Errorf("asking for a quote: %w", err)
	}
	asked := time.Now()
	s.say("wallet   pinToEstuary(%s), quoted %s", root, fil(quote.Fee))
	e, err := s.ask(ctx, user, s.pinning(), quote.Fee, pinningABI.PackPinToEstuary(root.Bytes(), estuarypinning.PinOptions{
		Origins: origins, Expiry: new(big.Int),
	}))
	if err != nil {
		return Answer{}, err
	}
	return s.follow(ctx, e.RequestId, root.String(), "pin", asked)
}

// readBack compares the large file on the pinned node with what was generated.
func (s *show) readBack(ctx context.Context, root cid.Cid) error {
	f, err := s.daemon.Node().Open(ctx, root, bigFileName)
	if err != nil {
		return fmt.Errorf("opening %s on the pinned node: %w", bigFileName, err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("reading %s back: %w", bigFileName, err)
	}
	if !bytes.Equal(got, bigFile(s.Seed)) {
		return fmt.Errorf("%s came back different", bigFileName)
	}
	s.say("read     %s from the pinned node: %d bytes, the same byte for byte (sha-256 %x…)", bigFileName, len(got), first8(got))
	return nil
}

func first8(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:8]
}

// nobodyHasIt asks for a CID that exists nowhere: answered on chain as failed,
// and the fee comes back less the quoted attempt fee.
func (s *show) nobodyHasIt(ctx context.Context) error {
	s.title("Unhappy: a CID that nobody has")
	sum, err := mh.Sum(random(s.Seed+1, 64), mh.SHA2_256, -1)
	if err != nil {
		return fmt.Errorf("hashing: %w", err)
	}
	root := cid.NewCidV1(cid.Raw, sum)
	before, err := s.creditOf(ctx, userBob)
	if err != nil {
		return err
	}
	quote, err := bind.Call(s.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackQuotePin(), pinningABI.UnpackQuotePin)
	if err != nil {
		return fmt.Errorf("asking for a quote: %w", err)
	}
	got, err := s.pin(ctx, userBob, root)
	if err != nil {
		return err
	}
	if got.Outcome != "failed" || got.Reason == "" {
		return fmt.Errorf("a CID that nobody has was answered %q, reason %q", got.Outcome, got.Reason)
	}
	if err := s.expectStatus(ctx, root.String(), "Failed"); err != nil {
		return err
	}
	after, err := s.creditOf(ctx, userBob)
	if err != nil {
		return err
	}
	back, want := new(big.Int).Sub(after, before), new(big.Int).Sub(quote.Fee, quote.AttemptFee)
	if back.Cmp(want) != 0 {
		return fmt.Errorf("%s came back, want the fee less the attempt fee, %s", fil(back), fil(want))
	}
	s.say("refund   %s of %s is the wallet's credit again; the attempt cost %s", fil(back), fil(quote.Fee), fil(quote.AttemptFee))
	return nil
}

// unpin drops the tree again.
func (s *show) unpin(ctx context.Context) error {
	s.title("An unpin")
	quote, err := bind.Call(s.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackQuoteUnpin(), pinningABI.UnpackQuoteUnpin)
	if err != nil {
		return fmt.Errorf("asking for a quote: %w", err)
	}
	asked := time.Now()
	s.say("wallet   unpin(%s), quoted %s", s.treeRoot, fil(quote.Fee))
	e, err := s.ask(ctx, userAlice, s.pinning(), quote.Fee, pinningABI.PackUnpin(s.treeRoot.Bytes()))
	if err != nil {
		return err
	}
	got, err := s.follow(ctx, e.RequestId, s.treeRoot.String(), "unpin", asked)
	if err != nil {
		return err
	}
	if got.Outcome != "succeeded" {
		return fmt.Errorf("the unpin %s: %s", got.Outcome, got.Reason)
	}
	if err := s.expectStatus(ctx, s.treeRoot.String(), "None"); err != nil {
		return err
	}
	held, err := s.daemon.Node().HasAll(ctx, s.treeRoot)
	if err != nil {
		return fmt.Errorf("looking for the tree: %w", err)
	}
	if held {
		return errors.New("the node still holds the tree")
	}
	part, err := s.daemon.Node().HasAll(ctx, s.dealtRoot)
	if err != nil {
		return fmt.Errorf("looking for %s: %w", storedPart, err)
	}
	if !part {
		return fmt.Errorf("the node lost %s, which it offers to providers", storedPart)
	}
	s.say("node     holds the tree no more, but for %s, which it offers to providers", storedPart)
	return nil
}

// callbackReverts answers a contract that refuses the answer: nothing is lost,
// and once it is mended anyone retries the callback.
func (s *show) callbackReverts(ctx context.Context) error {
	s.title("Unhappy: a contract whose callback reverts")
	root, _, err := s.daemon.Node().Add(ctx, ipfs.AddSpec{Ref: "local:demo-note", Name: "note.txt"}, files.NewBytesFile([]byte(fmt.Sprintf("a note, seed %d\n", s.Seed))))
	if err != nil {
		return fmt.Errorf("adding a note: %w", err)
	}
	noteABI := revertingnote.NewRevertingNote()
	note := noteABI.Instance(s.client, s.noteAddr)
	fee, err := bind.Call(note, &bind.CallOpts{Context: ctx}, noteABI.PackQuote(), noteABI.UnpackQuote)
	if err != nil {
		return fmt.Errorf("asking for a quote: %w", err)
	}
	asked := time.Now()
	s.say("wallet   RevertingNote.publish(%s), quoted %s", root, fil(fee))
	e, err := s.ask(ctx, userBob, note, fee, noteABI.PackPublish(root.Bytes()))
	if err != nil {
		return err
	}
	got, err := s.follow(ctx, e.RequestId, root.String(), "pin", asked)
	if err != nil {
		return err
	}
	if err := s.expectCallback(ctx, e.RequestId, callbackFailed); err != nil {
		return err
	}
	s.say("callback reverted: the answer stands and is kept")
	if _, err := s.transact(ctx, keyDeployer, note, nil, noteABI.PackSetAccepting(true)); err != nil {
		return err
	}
	report, err := s.reportOf(ctx, got)
	if err != nil {
		return err
	}
	if _, err := s.transact(ctx, userFree, s.provider(), nil, providerABI.PackRetryCallback(report)); err != nil {
		return err
	}
	if err := s.expectCallback(ctx, e.RequestId, answered); err != nil {
		return err
	}
	s.say("callback retried by a stranger, after its owner mended the contract: it went through")
	return nil
}

// IExecutionProvider.RequestState.
const (
	answered       = 3
	callbackFailed = 4
)

func (s *show) expectCallback(ctx context.Context, id common.Hash, want uint8) error {
	got, err := bind.Call(s.provider(), &bind.CallOpts{Context: ctx}, providerABI.PackStateOf(id), providerABI.UnpackStateOf)
	if err != nil {
		return fmt.Errorf("reading the request's state: %w", err)
	}
	if got != want {
		return fmt.Errorf("the request's state is %d, want %d", got, want)
	}
	return nil
}

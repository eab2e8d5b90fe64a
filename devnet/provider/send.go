package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	multisig18 "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/manifest"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// Fees of all messages, in attoFIL a unit of gas: a hundred times an idle chain's.
const (
	gasPremium = 100_000
	leastCap   = 1_000_000
)

// failedLimit is the gas limit of messages of which a trial failed, so that the chain
// says why.
const failedLimit = 2_000_000_000

// attempts is how often a message is pushed whose nonce was taken meanwhile.
const attempts = 5

// Call is what a message does.
type Call struct {
	To     address.Address
	Value  abi.TokenAmount // none if unset
	Method abi.MethodNum   // 0 only sends the value
	Params cbg.CBORMarshaler
}

// ExitError means that a message ran and its actor refused it.
type ExitError struct {
	To     address.Address
	Method abi.MethodNum
	Code   exitcode.ExitCode
	Reason string // the machine's words
	Data   []byte // what it returned all the same: of a contract, its revert data in CBOR
}

// Error implements error.
func (e *ExitError) Error() string {
	return fmt.Sprintf("%s, method %d: exit code %d: %s", e.To, e.Method, e.Code, e.Reason)
}

// Send signs a call by an f1 or f3 account, and returns the value that it returned when
// it has run. Errors: *ExitError.
func (f *Fleet) Send(ctx context.Context, from chain.Account, call Call) ([]byte, error) {
	returned, _, err := f.sendIn(ctx, from, call)
	return returned, err
}

// sendIn is Send, and gives the signed message's CID too.
func (f *Fleet) sendIn(ctx context.Context, from chain.Account, call Call) ([]byte, cid.Cid, error) {
	msg, err := f.message(ctx, from.Address, call)
	if err != nil {
		return nil, cid.Undef, err
	}
	if msg.GasLimit, err = f.gasLimit(ctx, *msg); err != nil {
		return nil, cid.Undef, err
	}
	signed, err := f.push(ctx, from, msg)
	if err != nil {
		return nil, cid.Undef, err
	}
	found, err := f.executed(ctx, signed)
	if err != nil {
		return nil, signed.Cid(), err
	}
	if code := found.Receipt.ExitCode; code.IsError() {
		return nil, signed.Cid(), &ExitError{To: call.To, Method: call.Method, Code: code, Reason: found.Error, Data: found.Receipt.Return}
	}
	return found.Receipt.Return, signed.Cid(), nil
}

func (f *Fleet) message(ctx context.Context, from address.Address, call Call) (*types.Message, error) {
	params, err := encode(call.Params)
	if err != nil {
		return nil, err
	}
	if call.Value.Int == nil {
		call.Value = big.Zero()
	}
	fee, err := f.chain.NextBaseFee(f.chain.Head())
	if err != nil {
		return nil, err
	}
	return &types.Message{
		From: from, To: call.To, Value: call.Value, Method: call.Method, Params: params,
		GasFeeCap: big.Add(big.Mul(fee, big.NewInt(10)), big.NewInt(leastCap)), GasPremium: big.NewInt(gasPremium),
	}, ctx.Err()
}

// gasLimit tries a message at the head's state.
func (f *Fleet) gasLimit(ctx context.Context, msg types.Message) (int64, error) {
	machine, err := f.chain.Machine(ctx, nil, chain.MachineOptions{Free: true})
	if err != nil {
		return 0, err
	}
	msg.GasLimit = buildconstants.BlockGasLimit
	result, err := machine.Apply(ctx, &msg, fvm.Implicit, 0)
	if err != nil {
		return 0, fmt.Errorf("try a message to %s, method %d: %w", msg.To, msg.Method, err)
	}
	if result.Receipt.ExitCode.IsError() {
		return failedLimit, nil
	}
	const slack = 20_000_000 // what a message costs by its size, and the next epoch's state
	return min(result.Receipt.GasUsed*3/2+slack, buildconstants.BlockGasLimit), nil
}

// push gives the message the sender's next nonce. Miners prove by themselves meanwhile
// and may take it first.
func (f *Fleet) push(ctx context.Context, from chain.Account, msg *types.Message) (*types.SignedMessage, error) {
	f.sending.Lock()
	defer f.sending.Unlock()
	for attempt := 1; ; attempt++ {
		var err error
		if msg.Nonce, err = f.chain.NextNonce(ctx, from.Address); err != nil {
			return nil, fmt.Errorf("nonce of %s: %w", from.Address, err)
		}
		signed, err := from.Key.SignMessage(msg, f.chain.ChainID())
		if err != nil {
			return nil, fmt.Errorf("sign for %s: %w", from.Address, err)
		}
		_, err = f.chain.Push(ctx, signed)
		taken := errors.Is(err, chain.ErrRBFTooLowPremium) || errors.Is(err, chain.ErrNonceTooLow)
		if err == nil || !taken || attempt == attempts {
			return signed, err
		}
	}
}

// executed waits until a message is in a tipset. A chain that makes no tipsets by
// itself is made to.
func (f *Fleet) executed(ctx context.Context, signed *types.SignedMessage) (*chain.Found, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var heads <-chan chain.HeadChange
	for {
		if found, ok := f.chain.Lookup(signed.Cid()); ok {
			return found, nil
		}
		if pace := f.chain.Pace(); pace.BlockTime == 0 && !pace.Paused {
			if _, err := f.chain.Mine(ctx, 1); err != nil {
				return nil, err
			}
			continue
		}
		if heads == nil {
			heads = f.chain.Heads(ctx)
		}
		if _, ok := <-heads; !ok {
			return nil, errors.Join(ctx.Err(), fmt.Errorf("message %s was not mined: %w", signed.Cid(), chain.ErrClosed))
		}
	}
}

// Reach lets time pass until the head is at an epoch or after it: it waits on a timed
// chain, and advances others.
func (f *Fleet) Reach(ctx context.Context, epoch abi.ChainEpoch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var heads <-chan chain.HeadChange
	for {
		left := epoch - f.chain.Head().Height()
		if left <= 0 {
			return nil
		}
		if pace := f.chain.Pace(); pace.BlockTime == 0 && !pace.Paused {
			if _, err := f.chain.Advance(ctx, int(left)); err != nil {
				return fmt.Errorf("wait for epoch %d: %w", epoch, err)
			}
			continue
		}
		if heads == nil {
			heads = f.chain.Heads(ctx)
		}
		if _, ok := <-heads; !ok {
			return errors.Join(ctx.Err(), fmt.Errorf("wait for epoch %d: %w", epoch, chain.ErrClosed))
		}
	}
}

// Multisig creates a wallet of which any one signer may act alone, without locked funds.
func (f *Fleet) Multisig(ctx context.Context, funds abi.TokenAmount, signers ...chain.Account) (address.Address, error) {
	if len(signers) == 0 {
		return address.Undef, errors.New("a multisig needs a signer")
	}
	params := &multisig18.ConstructorParams{NumApprovalsThreshold: 1}
	for _, s := range signers {
		params.Signers = append(params.Signers, s.Address)
	}
	return f.exec(ctx, signers[0], manifest.MultisigKey, params, funds)
}

// onBehalf sends a call in the name of an address: the signer's own, or a multisig's
// in which the signer may act alone.
func (f *Fleet) onBehalf(ctx context.Context, name address.Address, signer chain.Account, call Call) ([]byte, error) {
	actor, err := f.chain.Actor(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	if f.chain.Engine().Name(actor.Code) != manifest.MultisigKey {
		return f.Send(ctx, signer, call)
	}
	params, err := encode(call.Params)
	if err != nil {
		return nil, err
	}
	if call.Value.Int == nil {
		call.Value = big.Zero()
	}
	returned, err := f.Send(ctx, signer, Call{To: name, Method: builtin.MethodsMultisig.Propose, Params: &multisig18.ProposeParams{
		To: call.To, Value: call.Value, Method: call.Method, Params: params,
	}})
	if err != nil {
		return nil, err
	}
	var proposed multisig18.ProposeReturn
	if err := decode(returned, &proposed); err != nil {
		return nil, err
	}
	if !proposed.Applied {
		return nil, fmt.Errorf("transaction %d of %s waits for more approvals", proposed.TxnID, name)
	}
	if proposed.Code.IsError() {
		return nil, &ExitError{To: call.To, Method: call.Method, Code: proposed.Code, Reason: "sent by " + name.String()}
	}
	return proposed.Ret, nil
}

func encode(value cbg.CBORMarshaler) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	var out bytes.Buffer
	if err := value.MarshalCBOR(&out); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return out.Bytes(), nil
}

func decode(data []byte, value cbg.CBORUnmarshaler) error {
	if err := value.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("decode %T: %w", value, err)
	}
	return nil
}

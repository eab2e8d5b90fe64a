package fvm

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// eamActor is the Ethereum address manager, in whose namespace f410 addresses are.
const eamActor uint64 = 10

// emptyArrayCID is the state of an actor that has none yet.
var emptyArrayCID = func() cid.Cid {
	h, err := mh.Sum(emptyArray, hashBlake2b256, 32)
	if err != nil {
		panic(err) // a constant hashed by a built-in function
	}
	return cid.NewCidV1(codecDagCBOR, h)
}()

func newActor(code cid.Cid, delegated *address.Address) *types.Actor {
	return &types.Actor{Code: code, Head: emptyArrayCID, Balance: big.Zero(), DelegatedAddress: delegated}
}

// createFromSend creates the actor for an address that is sent to for the first time: an
// account for a key's address, a placeholder for an Ethereum address.
func (cm *callManager) createFromSend(a address.Address, readOnly bool) (abi.ActorID, error) {
	switch {
	case a.Protocol() == address.BLS || a.Protocol() == address.SECP256K1:
		if readOnly {
			return 0, refuse(ErrReadOnly, "cannot auto-create account %s in read-only calls", a)
		}
		return cm.createAccount(a)
	case isEthAddress(a):
		if readOnly {
			return 0, refuse(ErrReadOnly, "cannot auto-create account %s in read-only calls", a)
		}
		return cm.register(a, newActor(cm.m.engine.Code("placeholder"), &a))
	}
	return 0, refuse(ErrNotFound, "actor does not exist or cannot be created: %s", a)
}

// isEthAddress tells whether an address is an f410 one.
func isEthAddress(a address.Address) bool {
	if a.Protocol() != address.Delegated {
		return false
	}
	ns, n := binary.Uvarint(a.Payload())
	return n > 0 && ns == eamActor
}

// createAccount makes an account actor and runs its constructor, whose exit code does not
// matter, as on chain.
func (cm *callManager) createAccount(a address.Address) (abi.ActorID, error) {
	if a.Protocol() == address.BLS && isBLSZero(a.Payload()) {
		return 0, refuse(ErrIllegalArgument, "cannot create the bls zero address actor")
	}
	id, err := cm.register(a, newActor(cm.m.engine.Code("account"), nil))
	if err != nil {
		return 0, err
	}
	var params bytes.Buffer
	if err := a.MarshalCBOR(&params); err != nil {
		return 0, refuse(ErrIllegalArgument, "failed to serialize params: %v", err)
	}
	_, err = cm.callResolved(0, id, entry{method: methodConstructor, implicit: true},
		&block{codec: codecCBOR, data: params.Bytes()}, big.Zero(), false)
	return id, err
}

// isBLSZero tells whether a public key is the point at infinity, compressed.
func isBLSZero(key []byte) bool {
	return len(key) > 0 && key[0] == 0xc0 && bytes.Equal(key[1:], make([]byte, len(key)-1))
}

// register gives an address an id through the init actor's map and sets its actor.
func (cm *callManager) register(a address.Address, act *types.Actor) (abi.ActorID, error) {
	if err := cm.charge(cm.prices.OnCreateActor(true)); err != nil {
		return 0, err
	}
	id, err := cm.m.tree.Register(cm.ctx, a)
	if err != nil {
		return 0, err
	}
	cm.access.resolved(a)
	return id, cm.setActor(id, act)
}

// createActor is what the init actor does for others: it gives code to a new id or to a
// placeholder.
func (cm *callManager) createActor(code cid.Cid, id abi.ActorID, delegated *address.Address) error {
	if code == cm.m.engine.Code("placeholder") {
		return refuse(ErrForbidden, "cannot explicitly construct a placeholder actor")
	}
	act, ok, err := cm.actor(id)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		if err := cm.charge(cm.prices.OnCreateActor(false)); err != nil {
			return err
		}
		act = newActor(code, delegated)
	case act.Code != cm.m.engine.Code("placeholder"):
		return refuse(ErrForbidden, "Actor address already exists")
	case act.DelegatedAddress == nil:
		return fmt.Errorf("placeholder f0%d does not have a delegated address", id)
	case delegated == nil || *delegated != *act.DelegatedAddress:
		return refuse(ErrForbidden, "placeholder has a different delegated address")
	default:
		act.Code = code
	}
	if err := cm.setActor(id, act); err != nil {
		return err
	}
	cm.created++
	return nil
}

// nextAddress is the f2 address of the actor that the message creates next. It does not
// change until one was created.
func (cm *callManager) nextAddress() (address.Address, error) {
	var b bytes.Buffer
	if err := cm.originAddr.MarshalCBOR(&b); err != nil {
		return address.Undef, fmt.Errorf("serialize the message's sender: %w", err)
	}
	seed := binary.BigEndian.AppendUint64(b.Bytes(), cm.nonce)
	seed = binary.BigEndian.AppendUint64(seed, cm.created)
	return address.NewActorAddress(seed)
}

package fvm

import (
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
)

// accessLevel is how much of an actor's state access a message has paid for.
type accessLevel int

const (
	accessNone accessLevel = iota
	accessRead
	accessUpdated
)

// accesses remembers which actors and addresses a message has paid for, so that each is
// charged once; what a failed call paid for is charged again.
type accesses struct {
	actors    history[abi.ActorID, accessLevel]
	addresses history[address.Address, struct{}]
	layers    []treeMark
	preloaded func(abi.ActorID) bool
}

func newAccesses(preloaded func(abi.ActorID) bool) *accesses {
	return &accesses{actors: newHistory[abi.ActorID, accessLevel](), addresses: newHistory[address.Address, struct{}](), preloaded: preloaded}
}

func (a *accesses) begin() {
	a.layers = append(a.layers, treeMark{a.actors.mark(), a.addresses.mark()})
}

func (a *accesses) end(revert bool) {
	mark := a.layers[len(a.layers)-1]
	a.layers = a.layers[:len(a.layers)-1]
	if revert {
		a.actors.rollback(mark.actors)
		a.addresses.rollback(mark.resolved)
	}
}

func (a *accesses) level(id abi.ActorID) accessLevel {
	if a.preloaded(id) {
		return accessUpdated
	}
	return a.actors.m[id]
}

func (a *accesses) read(id abi.ActorID) {
	if a.level(id) == accessNone {
		a.actors.set(id, accessRead)
	}
}

func (a *accesses) updated(id abi.ActorID) {
	if a.level(id) != accessUpdated {
		a.actors.set(id, accessUpdated)
	}
}

func (a *accesses) knows(addr address.Address) bool {
	if addr.Protocol() == address.ID {
		return true
	}
	_, ok := a.addresses.get(addr)
	return ok
}

func (a *accesses) resolved(addr address.Address) {
	if !a.knows(addr) {
		a.addresses.set(addr, struct{}{})
	}
}

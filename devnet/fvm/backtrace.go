package fvm

import (
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
)

// backtrace is the way of a failure from the actor that failed up to the message.
type backtrace struct {
	frames []frame
	cause  string
}

type frame struct {
	actor   abi.ActorID
	method  abi.MethodNum
	code    exitcode.ExitCode
	message string
}

// begin forgets an earlier failure that somebody handled.
func (b *backtrace) begin(cause string) {
	b.cause = cause
	b.frames = b.frames[:0]
}

func (b *backtrace) push(f frame) { b.frames = append(b.frames, f) }

// syscallCause puts a failed syscall into words.
func syscallCause(module, name string, err *syscallError) string {
	return fmt.Sprintf("%s::%s -- %s", module, name, err.Error())
}

// String lists the actors from the outermost to the innermost and then the cause, in the
// form that Filecoin's tools show.
func (b *backtrace) String() string {
	if len(b.frames) == 0 && b.cause == "" {
		return ""
	}
	var s strings.Builder
	s.WriteString("message failed with backtrace:\n")
	for i := range b.frames {
		f := b.frames[len(b.frames)-1-i]
		fmt.Fprintf(&s, "%02d: f0%d (method %d) -- %s (%d)\n", i, f.actor, f.method, f.message, f.code)
	}
	if b.cause != "" {
		fmt.Fprintf(&s, "--> caused by: %s\n", b.cause)
	}
	return s.String()
}

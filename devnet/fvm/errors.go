package fvm

import (
	"errors"
	"fmt"
)

// Errno is the error number that a syscall returns to the actor that called it.
type Errno uint32

// The error numbers of the FVM.
const (
	ErrIllegalArgument   Errno = 1
	ErrIllegalOperation  Errno = 2
	ErrLimitExceeded     Errno = 3
	ErrAssertionFailed   Errno = 4
	ErrInsufficientFunds Errno = 5
	ErrNotFound          Errno = 6
	ErrInvalidHandle     Errno = 7
	ErrIllegalCID        Errno = 8
	ErrIllegalCodec      Errno = 9
	ErrSerialization     Errno = 10
	ErrForbidden         Errno = 11
	ErrBufferTooSmall    Errno = 12
	ErrReadOnly          Errno = 13
)

var errnoNames = map[Errno]string{
	ErrIllegalArgument: "illegal argument", ErrIllegalOperation: "illegal operation", ErrLimitExceeded: "limit exceeded",
	ErrAssertionFailed: "filecoin assertion failed", ErrInsufficientFunds: "insufficient funds", ErrNotFound: "resource not found",
	ErrInvalidHandle: "invalid ipld block handle", ErrIllegalCID: "illegal cid specification", ErrIllegalCodec: "illegal ipld codec",
	ErrSerialization: "serialization error", ErrForbidden: "operation forbidden", ErrBufferTooSmall: "buffer too small",
	ErrReadOnly: "execution context is read-only",
}

// String returns the number's name.
func (e Errno) String() string {
	if s, ok := errnoNames[e]; ok {
		return s
	}
	return fmt.Sprintf("error %d", uint32(e))
}

// syscallError is an error that an actor gets to see as a number.
type syscallError struct {
	no  Errno
	msg string
}

func (e *syscallError) Error() string { return fmt.Sprintf("%s (%d: %s)", e.msg, uint32(e.no), e.no) }

// refuse makes a [syscallError].
func refuse(no Errno, format string, args ...any) error {
	return &syscallError{no: no, msg: fmt.Sprintf(format, args...)}
}

// asSyscall returns the error number inside err. Errors that have none are out of gas
// ([gas.ErrOutOfGas]), which unwinds calls up to the one whose limit was lower than its
// caller's, or fatal.
func asSyscall(err error) (*syscallError, bool) {
	var s *syscallError
	ok := errors.As(err, &s)
	return s, ok
}

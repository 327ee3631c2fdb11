package clockbox

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"clockbox/internal/host"
)

// Kind says what a failure means for another attempt; its values are the cases of the contract's job-error.
type Kind uint8

const (
	// InvalidArgs: the arguments do not fit the job. Never tried again.
	InvalidArgs Kind = iota
	// Retry: it may work the next time.
	Retry
	// RetryAfter: likewise, but not before some time has passed.
	RetryAfter
	// Fatal: it will not work the next time either. Never tried again.
	Fatal
	// Cancelled: the job noticed that it is to stop, and stopped. Never tried again.
	Cancelled
)

// Failure is how a run failed. Any other error that a job gives asks for a retry, with the code "error".
type Failure struct {
	Kind  Kind
	Code  string
	Err   error
	Delay time.Duration // of RetryAfter
}

func (f *Failure) Error() string { return f.Code + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// InvalidArgsf says that the arguments do not fit. Like all of these it formats as fmt.Errorf does, %w included.
func InvalidArgsf(format string, args ...any) error {
	return &Failure{Kind: InvalidArgs, Code: "invalid-args", Err: fmt.Errorf(format, args...)}
}

// Retryf says that it may work the next time.
func Retryf(code, format string, args ...any) error {
	return &Failure{Kind: Retry, Code: code, Err: fmt.Errorf(format, args...)}
}

// RetryAfterf says that it may work once a time has passed; it counts in milliseconds.
func RetryAfterf(delay time.Duration, code, format string, args ...any) error {
	return &Failure{Kind: RetryAfter, Code: code, Err: fmt.Errorf(format, args...), Delay: max(delay, 0)}
}

// Fatalf says that it will not work the next time either.
func Fatalf(code, format string, args ...any) error {
	return &Failure{Kind: Fatal, Code: code, Err: fmt.Errorf(format, args...)}
}

// Cancelledf says that the job stopped because it was asked to.
func Cancelledf(format string, args ...any) error {
	return &Failure{Kind: Cancelled, Code: "cancelled", Err: fmt.Errorf(format, args...)}
}

func failed(err error) host.Answer {
	var failure *Failure
	if !errors.As(err, &failure) {
		return host.Answer{Failed: true, Case: uint8(Retry), Code: "error", Message: clean(err.Error())}
	}
	message := failure.Err.Error()
	if err != error(failure) {
		// Whoever wrapped it had something to add.
		message = err.Error()
	}
	return host.Answer{
		Failed: true, Case: uint8(failure.Kind), Code: cmp.Or(clean(failure.Code), "error"), Message: clean(message),
		DelayMs: uint64(failure.Delay.Milliseconds()),
	}
}

// refused is a refusal of the host as a failure: asking for a retry only where that can help.
func refused(refusal *host.Refusal, codes []string, passing ...string) error {
	if refusal == nil {
		return nil
	}
	code := codes[min(int(refusal.Case), len(codes)-1)]
	for _, each := range passing {
		if code == each {
			return Retryf(code, "%s", refusal.Message)
		}
	}
	return Fatalf(code, "%s", refusal.Message)
}

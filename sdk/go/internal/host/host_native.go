//go:build !wasip1

package host

import (
	"fmt"
	"os"
)

// Outside is the host's part outside a sandbox.
type Outside interface {
	JobID() string
	RunID() string
	Attempt() uint32
	ScheduledAt() string
	PreviousSuccess() (string, bool)
	Manual() bool
	IdempotencyKey() string
	DeadlineMs() uint64
	IsCancelled() bool
	Config(key string) (string, bool)
	Log(level uint8, message string, fields []Field)
	Report(done uint64, total *uint64, note *string)
	StateGet(key string) ([]byte, *Refusal)
	StateSet(key string, value []byte, ttlMs uint64) *Refusal
	StateDelete(key string) (bool, *Refusal)
	StateKeys(prefix string) ([]string, *Refusal)
	StateSwap(key string, expected, value []byte, ttlMs uint64) (bool, *Refusal)
	JobsAdd(name, job string, conflict uint8) *Refusal
	JobsModify(name, changes string) *Refusal
	JobsPause(name, note string) *Refusal
	JobsResume(name string) *Refusal
	JobsRemove(name string) *Refusal
	JobsRun(name string, args *string) *Refusal
	JobsList() ([]string, *Refusal)
	JobsGet(name string) ([]byte, *Refusal)
	HTTPSend(HTTPRequest) (HTTPResponse, *Refusal)
}

// Present is the host that jobs talk to outside a sandbox: the one of clockbox/clockboxtest, where that is imported.
var Present Outside

func present() Outside {
	if Present == nil {
		panic("there is no host outside a sandbox: a test imports clockbox/clockboxtest, which plays its part")
	}
	return Present
}

func JobID() string                    { return present().JobID() }
func RunID() string                    { return present().RunID() }
func Attempt() uint32                  { return present().Attempt() }
func ScheduledAt() string              { return present().ScheduledAt() }
func PreviousSuccess() (string, bool)  { return present().PreviousSuccess() }
func Manual() bool                     { return present().Manual() }
func IdempotencyKey() string           { return present().IdempotencyKey() }
func DeadlineMs() uint64               { return present().DeadlineMs() }
func IsCancelled() bool                { return present().IsCancelled() }
func Config(key string) (string, bool) { return present().Config(key) }

// Log writes to stderr where there is no host, as log/slog does elsewhere.
func Log(level uint8, message string, fields []Field) {
	if Present != nil {
		Present.Log(level, message, fields)
		return
	}
	line := Levels[level] + " " + message
	for _, field := range fields {
		line += " " + field.Key + "=" + field.Value
	}
	fmt.Fprintln(os.Stderr, line)
}

func Report(done uint64, total *uint64, note *string) { present().Report(done, total, note) }

func StateGet(key string) ([]byte, *Refusal)       { return present().StateGet(key) }
func StateDelete(key string) (bool, *Refusal)      { return present().StateDelete(key) }
func StateKeys(prefix string) ([]string, *Refusal) { return present().StateKeys(prefix) }
func StateSet(key string, value []byte, ttlMs uint64) *Refusal {
	return present().StateSet(key, value, ttlMs)
}
func StateSwap(key string, expected, value []byte, ttlMs uint64) (bool, *Refusal) {
	return present().StateSwap(key, expected, value, ttlMs)
}

func JobsAdd(name, job string, conflict uint8) *Refusal {
	return present().JobsAdd(name, job, conflict)
}
func JobsModify(name, changes string) *Refusal        { return present().JobsModify(name, changes) }
func JobsPause(name, note string) *Refusal            { return present().JobsPause(name, note) }
func JobsResume(name string) *Refusal                 { return present().JobsResume(name) }
func JobsRemove(name string) *Refusal                 { return present().JobsRemove(name) }
func JobsRun(name string, args *string) *Refusal      { return present().JobsRun(name, args) }
func JobsList() ([]string, *Refusal)                  { return present().JobsList() }
func JobsGet(name string) ([]byte, *Refusal)          { return present().JobsGet(name) }
func HTTPSend(r HTTPRequest) (HTTPResponse, *Refusal) { return present().HTTPSend(r) }

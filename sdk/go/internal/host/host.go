// Package host is the host's part: the real one in a plugin, one in memory anywhere else.
package host

// Refusal is the case of an interface's error that a call came to, by its number, and its message.
type Refusal struct {
	Case    uint8
	Message string
}

// Field is a named value of a log line.
type Field struct {
	Key, Value string
}

// Answer is what a run came to.
type Answer struct {
	Failed  bool
	Output  *string // JSON text
	Case    uint8   // of the contract's job-error
	Code    string
	Message string
	DelayMs uint64
}

// Serve is the job: it is given the arguments as JSON text.
var Serve func(args string) Answer

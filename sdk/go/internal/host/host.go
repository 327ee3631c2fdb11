// Package host is the host's part: the real one in a plugin, one in memory anywhere else.
package host

// Refusal is the case of an interface's error that a call came to, by its number, and its message.
type Refusal struct {
	Case    uint8
	Message string
}

// Field is a named value: of a log line, or of a header.
type Field struct {
	Key, Value string
}

// HTTPCodes are the codes of the cases of clockbox:http/client's error, in their order. Whatever else is one of the protocol.
var HTTPCodes = []string{"invalid-request", "http-denied", "dns", "connect", "timeout", "tls", "too-large", "protocol", "protocol"}

// HTTPOther is the last of these cases.
const HTTPOther = 8

// HTTPRequest is what is asked of the web; 0 is no limit of the job's own.
type HTTPRequest struct {
	Method, URL        string
	Header             []Field
	Body               []byte
	TimeoutMs, MaxBody uint64
}

// HTTPResponse is what came back.
type HTTPResponse struct {
	Status uint16
	Header []Field
	Body   []byte
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
var Serve = func(string) Answer {
	const fatal = 3
	return Answer{Failed: true, Case: fatal, Code: "no-job", Message: "no job was registered: call clockbox.Job in init, as main is not run"}
}

// Levels are the names of the levels of a log line.
var Levels = []string{"trace", "debug", "info", "warn", "error"}

// Package clockbox makes a Go function a clockbox job: compiled to WebAssembly, run on time in a sandbox.
//
//	package main
//
//	import (
//		"log/slog"
//
//		"clockbox"
//	)
//
//	type Args struct {
//		Name string `json:"name" clockbox:"required"`
//	}
//
//	func run(args Args) (string, error) {
//		slog.Info("greeting", "name", args.Name)
//		return "hello " + args.Name, nil
//	}
//
//	func init() { clockbox.Job(run) }
//
//	func main() {} // a plugin has none of its own
package clockbox

import (
	"encoding/json"

	"clockbox/internal/host"
)

// Job makes a function the job of this plugin; call it in an init function, as a plugin's main is not run. Its argument is anything that encoding/json can read, see [Defaulter]; what it gives is
// the output, and nil or struct{} are none.
func Job[A, T any](run func(A) (T, error)) {
	host.Serve = func(args string) host.Answer { return call(run, args) }
}

func call[A, T any](run func(A) (T, error), text string) host.Answer {
	args, err := parse[A](text)
	if err != nil {
		return failed(err)
	}
	output, err := run(args)
	if err != nil {
		return failed(err)
	}
	if _, none := any(output).(struct{}); none {
		return host.Answer{}
	}
	written, err := json.Marshal(output)
	if err != nil {
		return failed(Fatalf("bad-output", "the output is not JSON: %v", err))
	}
	if string(written) == "null" {
		return host.Answer{}
	}
	said := string(written)
	return host.Answer{Output: &said}
}

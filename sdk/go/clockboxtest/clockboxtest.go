//go:build !wasip1

// Package clockboxtest is the host's part in tests: outside a sandbox a job talks to it. One host is there at a time, so tests of
// jobs do not run in parallel.
//
//	func TestItCounts(t *testing.T) {
//		host := clockboxtest.New(t)
//		host.State["count"] = []byte("41")
//		output, err := clockboxtest.Call(map[string]any{"name": "Ada"})
//		if err != nil || output != "hello Ada" || string(host.State["count"]) != "42" {
//			t.Error(output, err, host.State)
//		}
//	}
package clockboxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"clockbox"
	"clockbox/internal/host"
)

// The host of a test that asks for none of its own.
func init() { host.Present = memory{fresh()} }

// New is a new host for the runs to come, until the test ends. Set what the test is about before [Call], and look at the rest after it.
func New(t testing.TB) *Host {
	present := fresh()
	host.Present = memory{present}
	t.Cleanup(func() { host.Present = memory{fresh()} })
	return present
}

// Call calls the job as the host does, and gives its output, read as JSON (so numbers are float64); nil is none. What a failed run
// changed of its state and of jobs is undone. The error reads "code: message", and is a [clockbox.Failure] for errors.As.
func Call(args any) (any, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("the arguments are not JSON: %w", err)
	}
	present := host.Present.(memory)
	state, runs := maps.Clone(present.State), slices.Clone(present.Runs)
	jobs := map[string]clockbox.Keys{}
	for name, keys := range present.Jobs {
		jobs[name] = maps.Clone(keys)
	}
	answer := host.Serve(string(text))
	if answer.Failed {
		present.State, present.Jobs, present.Runs = state, jobs, runs
		return nil, failure(answer)
	}
	if answer.Output == nil {
		return nil, nil
	}
	var output any
	err = json.Unmarshal([]byte(*answer.Output), &output)
	return output, err
}

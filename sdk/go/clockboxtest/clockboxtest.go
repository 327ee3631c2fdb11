//go:build !wasip1

// Package clockboxtest is the host's part in tests: outside a sandbox a job talks to it. One host is there at a time, so tests of
// jobs do not run in parallel.
package clockboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"clockbox"
	"clockbox/internal/host"
)

// Host is what the host knows and has heard.
type Host = host.Memory

// Line is a line that the job logged.
type Line = host.Line

// New is a new host for the runs to come, until the test ends.
func New(t testing.TB) *Host {
	host.Present = host.Fresh()
	t.Cleanup(func() { host.Present = host.Fresh() })
	return host.Present
}

// AnswerHTTP answers the requests of the present host's jobs; without it they are denied. A failure comes to the job with the code that
// it has here, such as clockbox.Retryf("timeout", "no answer").
func AnswerHTTP(answer func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error)) {
	host.Present.HTTP = func(asked host.HTTPRequest) (host.HTTPResponse, *host.Refusal) {
		request := &clockbox.HTTPRequest{
			Method: asked.Method, URL: asked.URL, Header: clockbox.HTTPHeader{}, Body: asked.Body,
			Timeout: time.Duration(asked.TimeoutMs) * time.Millisecond, MaxBody: asked.MaxBody,
		}
		for _, field := range asked.Header {
			request.Header.Add(field.Key, field.Value)
		}
		response, err := answer(request)
		if err != nil {
			return host.HTTPResponse{}, refusal(err)
		}
		given := host.HTTPResponse{Status: uint16(response.StatusCode), Body: response.Body}
		for _, name := range slices.Sorted(maps.Keys(response.Header)) {
			for _, value := range response.Header[name] {
				given.Header = append(given.Header, host.Field{Key: name, Value: value})
			}
		}
		return given, nil
	}
}

func refusal(err error) *host.Refusal {
	var failure *clockbox.Failure
	if !errors.As(err, &failure) {
		return &host.Refusal{Case: host.HTTPOther, Message: err.Error()}
	}
	at := slices.Index(host.HTTPCodes, failure.Code)
	if at < 0 {
		at = host.HTTPOther
	}
	return &host.Refusal{Case: uint8(at), Message: failure.Err.Error()}
}

// Call calls the job as the host does, and gives its output, read as JSON; nil is none. What a failed run changed of its state and of
// jobs is undone. The error reads "code: message".
func Call(args any) (any, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("the arguments are not JSON: %w", err)
	}
	if host.Serve == nil {
		return nil, errors.New("there is no job: call clockbox.Job in an init function")
	}
	present := host.Present
	state, runs := maps.Clone(present.State), slices.Clone(present.Runs)
	jobs := map[string]map[string]any{}
	for name, keys := range present.Jobs {
		jobs[name] = maps.Clone(keys)
	}
	answer := host.Serve(string(text))
	if answer.Failed {
		present.State, present.Jobs, present.Runs = state, jobs, runs
		return nil, fmt.Errorf("%s: %s", answer.Code, answer.Message)
	}
	if answer.Output == nil {
		return nil, nil
	}
	var output any
	err = json.Unmarshal([]byte(*answer.Output), &output)
	return output, err
}

//go:build !wasip1

package clockboxtest

import (
	"errors"
	"time"

	"clockbox"
	"clockbox/internal/host"
)

// Host is what the host knows and has heard. [New] fills it with a plain first attempt: there is no state, no job and no web.
type Host struct {
	// What the job is told of its run; set what the test is about.

	JobID, RunID, IdempotencyKey string
	// Attempt counts from 1.
	Attempt int
	// ScheduledAt is 2030-01-01 00:00 UTC unless it is set.
	ScheduledAt time.Time
	// PreviousSuccess is none where it is zero.
	PreviousSuccess time.Time
	// Manual is whether somebody asked for the run.
	Manual bool
	// TimeLeft is a minute unless it is set, and does not pass.
	TimeLeft time.Duration
	// Cancelled is whether the job is to stop; HTTP may set it in the middle of a run.
	Cancelled bool
	// Config is the plugin's `config` table, and its secrets.
	Config map[string]string
	// HTTP answers the requests; without it they are denied. A failure comes to the job with the code that it has here, such as
	// clockbox.Retryf("timeout", "no answer").
	HTTP func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error)

	// What the job has, and what it did. A run that fails changes none of State, Jobs and Runs.

	// State is what it remembers; nothing expires.
	State map[string][]byte
	// Jobs are the other jobs, by name, as they were described and changed. One that is paused has {"note": …} at "paused".
	Jobs map[string]clockbox.Keys
	// Runs are those that it asked for, in order.
	Runs []Run
	// Lines are what it logged, in order.
	Lines []Line
	// Progress is what it reported last; nil before that.
	Progress *Progress
}

// Line is a line that the job logged.
type Line struct {
	Level   string // trace, debug, info, warn or error
	Message string
	Fields  map[string]string
}

// Progress is how far the job says it has come.
type Progress struct {
	Done  uint64
	Total uint64 // 0 is not known
	Note  string // "" is none
}

// Run is another job that the job has run.
type Run struct {
	Job  string
	Args string // as JSON; "" are its own
}

func fresh() *Host {
	return &Host{
		JobID: "test-job", RunID: "test-run", IdempotencyKey: "test-key",
		Attempt: 1, ScheduledAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), TimeLeft: time.Minute,
		Config: map[string]string{}, State: map[string][]byte{}, Jobs: map[string]clockbox.Keys{},
	}
}

func failure(answer host.Answer) error {
	return &clockbox.Failure{
		Kind: clockbox.Kind(answer.Case), Code: answer.Code, Err: errors.New(answer.Message),
		Delay: time.Duration(answer.DelayMs) * time.Millisecond,
	}
}

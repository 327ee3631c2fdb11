// The table's cases in Go: see ../README.md.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"clockbox"
)

type request struct {
	Do    string          `json:"do" clockbox:"required"`
	Name  string          `json:"name"`
	Times int             `json:"times"`
	Value json.RawMessage `json:"value"`
}

func (r *request) Defaults() { r.Times = 1 }

type greeting struct {
	Greeting string `json:"greeting"`
	Times    int    `json:"times"`
}

var deeds = map[string]func(request) (any, error){
	"greet":   func(r request) (any, error) { return greeting{"hello " + r.Name, r.Times}, nil },
	"nothing": func(request) (any, error) { return nil, nil },
	"echo":    func(r request) (any, error) { return r.Value, nil },
	"retry":   func(request) (any, error) { return again(clockbox.Retryf("busy", "try again")) },
	"retry-after": func(request) (any, error) {
		return again(clockbox.RetryAfterf(20*time.Millisecond, "busy", "try again soon"))
	},
	"fatal":  func(request) (any, error) { return nil, clockbox.Fatalf("broken", "no use – ever") },
	"refuse": func(request) (any, error) { return nil, clockbox.InvalidArgsf("not these") },
	"log": func(r request) (any, error) {
		slog.Log(context.Background(), clockbox.LevelTrace, "one")
		slog.Debug("two")
		slog.Info("three", "name", r.Name, "times", r.Times)
		slog.Warn("four")
		slog.Error("fünf")
		return nil, nil
	},
	"progress": func(request) (any, error) {
		clockbox.Progress(1, 4, "a quarter")
		return nil, nil
	},
	"facts": func(request) (any, error) { return facts(), nil },
	"count": func(request) (any, error) { return countUp() },
	"count-and-fail": func(request) (any, error) {
		if _, err := countUp(); err != nil {
			return nil, err
		}
		return nil, clockbox.Fatalf("told", "to fail")
	},
	"swap":    func(request) (any, error) { return swap() },
	"bytes":   func(request) (any, error) { return bytes() },
	"churn":   func(request) (any, error) { return churn() },
	"bad-key": func(request) (any, error) { return nil, clockbox.StateSet("", nil) },
	"add-job": func(r request) (any, error) { return addJob(r.Name) },
	"replace-job": func(r request) (any, error) {
		job := clockbox.Keys{"trigger": clockbox.Keys{"date": "2099-01-01"}, "args": r.Value}
		return nil, clockbox.AddJob(r.Name, job, clockbox.Replace)
	},
	"run-job": func(r request) (any, error) {
		if r.Value == nil {
			return nil, clockbox.RunJob(r.Name)
		}
		return nil, clockbox.RunJobWith(r.Name, r.Value)
	},
	"pause-job":  func(r request) (any, error) { return nil, clockbox.PauseJob(r.Name, "für heute") },
	"resume-job": func(r request) (any, error) { return nil, clockbox.ResumeJob(r.Name) },
	"remove-job": func(r request) (any, error) {
		if err := clockbox.RemoveJob(r.Name); err != nil {
			return nil, err
		}
		return clockbox.GetJob(r.Name)
	},
	"remove-and-fail": func(r request) (any, error) {
		if err := clockbox.RemoveJob(r.Name); err != nil {
			return nil, err
		}
		return nil, clockbox.Fatalf("told", "to fail")
	},
	"no-such-job": func(request) (any, error) {
		return nil, clockbox.PauseJob("nobody", "for ever")
	},
	"get":  func(r request) (any, error) { return get(r.Name) },
	"post": func(r request) (any, error) { return post(r.Name, r.Value) },
	"large": func(r request) (any, error) {
		response, err := clockbox.HTTPDo(&clockbox.HTTPRequest{URL: r.Name, MaxBody: 1000})
		if err != nil {
			return nil, err
		}
		return len(response.Body), nil
	},
	"late": func(r request) (any, error) {
		response, err := clockbox.HTTPDo(&clockbox.HTTPRequest{URL: r.Name, Timeout: 100 * time.Millisecond})
		if err != nil {
			return nil, err
		}
		return response.StatusCode, nil
	},
	"wait": func(request) (any, error) {
		slog.Info("waiting")
		for !clockbox.IsCancelled() {
		}
		return nil, clockbox.Cancelledf("stopped when asked")
	},
}

func again(failure error) (any, error) {
	if clockbox.Attempt() > 1 {
		return map[string]int{"attempt": clockbox.Attempt()}, nil
	}
	return nil, failure
}

func facts() any {
	colour, _ := clockbox.Config("colour")
	_, has := clockbox.Config("none")
	var none any
	if has {
		none = "something"
	}
	cause := "trigger"
	if clockbox.IsManual() {
		cause = "manual"
	}
	return map[string]any{
		"job":       clockbox.JobID(),
		"cause":     cause,
		"attempt":   clockbox.Attempt(),
		"config":    []any{colour, none},
		"ids":       clockbox.RunID() != "" && clockbox.IdempotencyKey() != "",
		"time":      clockbox.TimeLeft() > 0 && clockbox.ScheduledAt().Year() > 2000,
		"cancelled": clockbox.IsCancelled(),
	}
}

func countUp() (int, error) {
	count := 0
	if err := clockbox.StateLoad("count", &count); err != nil {
		return 0, err
	}
	count++
	return count, clockbox.StateStore("count", count)
}

func swap() (any, error) {
	var output []any
	for _, each := range []struct{ expected, value []byte }{{nil, []byte("1")}, {[]byte("0"), []byte("2")}, {[]byte("1"), []byte("2")}} {
		swapped, err := clockbox.StateSwap("swap", each.expected, each.value)
		if err != nil {
			return nil, err
		}
		output = append(output, swapped)
	}
	if err := clockbox.StateSet("swept", []byte("x")); err != nil {
		return nil, err
	}
	keys, err := clockbox.StateKeys("sw")
	if err != nil {
		return nil, err
	}
	output = append(output, keys)
	for range 2 {
		had, err := clockbox.StateDelete("swept")
		if err != nil {
			return nil, err
		}
		output = append(output, had)
	}
	last, err := clockbox.StateGet("swap")
	return append(output, string(last)), err
}

func bytes() (any, error) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if err := clockbox.StateSetFor(time.Hour, "bytes", all); err != nil {
		return nil, err
	}
	kept, err := clockbox.StateGet("bytes")
	sum := 0
	for _, each := range kept {
		sum += int(each)
	}
	return sum, err
}

// churn makes garbage between calls of the host, and in them.
func churn() (any, error) {
	kept := 0
	for i := range 2000 {
		text := strings.Repeat(fmt.Sprint(i), 500)
		if err := clockbox.StateSet("churn", []byte(text)); err != nil {
			return nil, err
		}
		value, err := clockbox.StateGet("churn")
		if err != nil {
			return nil, err
		}
		if string(value) == text {
			kept++
		}
	}
	return kept, nil
}

func addJob(name string) (any, error) {
	for _, step := range []func() error{
		func() error {
			return clockbox.AddJob(name, clockbox.Keys{"trigger": clockbox.Keys{"date": "2099-01-01"}, "args": clockbox.Keys{"do": "nothing"}}, clockbox.Refuse)
		},
		func() error { return clockbox.AddJob(name, nil, clockbox.Ignore) },
		func() error {
			return clockbox.ModifyJob(name, clockbox.Keys{"args": clockbox.Keys{"do": "greet", "name": "you"}})
		},
		func() error { return clockbox.PauseJob(name, "not yet") },
		func() error { return clockbox.ResumeJob(name) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	names, err := clockbox.Jobs()
	if err != nil {
		return nil, err
	}
	job, err := clockbox.GetJob(name)
	if err != nil {
		return nil, err
	}
	nobody, err := clockbox.GetJob("nobody")
	return map[string]any{"listed": slices.Contains(names, name), "args": job["args"], "none": nobody}, err
}

func get(url string) (any, error) {
	response, err := clockbox.HTTPDo(&clockbox.HTTPRequest{URL: url, Header: clockbox.HTTPHeader{"x-asked": {"yes"}}})
	if err != nil {
		return nil, err
	}
	var kind, body any = nil, string(response.Body)
	if values := response.Header.Values("X-Kind"); len(values) > 0 {
		kind = values[0]
	}
	if response.OK() {
		err = response.JSON(&body)
	}
	return map[string]any{"status": response.StatusCode, "ok": response.OK(), "kind": kind, "body": body}, err
}

func post(url string, value any) (any, error) {
	response, err := clockbox.HTTPPostJSON(url, value)
	if err != nil {
		return nil, err
	}
	var echoed any
	err = response.JSON(&echoed)
	return echoed, err
}

func run(r request) (any, error) {
	deed, ok := deeds[r.Do]
	if !ok {
		return nil, clockbox.InvalidArgsf("args.do: nobody does %q", r.Do)
	}
	return deed(r)
}

func init() { clockbox.Job(run) }

func main() {}

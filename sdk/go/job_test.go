package clockbox_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"clockbox"
	"clockbox/clockboxtest"
)

type greeting struct {
	Name  string   `json:"name" clockbox:"required"`
	Times int      `json:"times"`
	Tags  []string `json:"tags"`
}

func (g *greeting) Defaults() { g.Times = 1 }

func expect(t *testing.T, args any, output any, failure string) {
	t.Helper()
	got, err := clockboxtest.Call(args)
	if failure == "" && err != nil || failure != "" && (err == nil || !strings.HasPrefix(err.Error(), failure)) {
		t.Fatalf("%v: the failure is %v, not %q", args, err, failure)
	}
	if !reflect.DeepEqual(got, output) {
		t.Fatalf("%v: the output is %#v, not %#v", args, got, output)
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(func(g greeting) (string, error) { return fmt.Sprintf("%s%d%v", g.Name, g.Times, g.Tags), nil })
	expect(t, map[string]any{"name": "Ada"}, "Ada1[]", "")
	expect(t, map[string]any{"name": "Ada", "times": 2, "tags": []string{"x"}}, "Ada2[x]", "")
	expect(t, nil, nil, "invalid-args: args.name: missing")
	expect(t, map[string]any{"name": 5}, nil, "invalid-args: args.name: expected a string, found 5")
	expect(t, map[string]any{"nam": "Ada"}, nil, "invalid-args: args.nam: unknown; known are: name, times, tags")
	expect(t, []int{1}, nil, "invalid-args: args: expected an object, found [1]")

	clockbox.Job(func(list []int) (int, error) { return len(list), nil })
	expect(t, []int{1, 2}, 2.0, "")
	expect(t, nil, 0.0, "")
}

func TestOutputIsJSONOrNone(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(func(struct{}) (struct{}, error) { return struct{}{}, nil })
	expect(t, nil, nil, "")
	expect(t, map[string]int{"a": 1}, nil, "invalid-args: args.a: unknown; known are: there are none")
	clockbox.Job(func(struct{}) (*int, error) { return nil, nil })
	expect(t, nil, nil, "")
	clockbox.Job(func(struct{}) (float64, error) { return math.NaN(), nil })
	expect(t, nil, nil, "bad-output: the output is not JSON")
}

func TestFailures(t *testing.T) {
	clockboxtest.New(t)
	cause := errors.New("no route")
	for _, each := range []struct {
		err     error
		failure string
		kind    clockbox.Kind
	}{
		{clockbox.Retryf("busy", "later: %w", cause), "busy: later: no route", clockbox.Retry},
		{clockbox.RetryAfterf(time.Second, "busy", "later"), "busy: later", clockbox.RetryAfter},
		{clockbox.Fatalf("broken", "never"), "broken: never", clockbox.Fatal},
		{clockbox.InvalidArgsf("not these"), "invalid-args: not these", clockbox.InvalidArgs},
		{clockbox.Cancelledf("stopped"), "cancelled: stopped", clockbox.Cancelled},
		{cause, "error: no route", clockbox.Retry},
		{fmt.Errorf("page 3: %w", clockbox.Fatalf("broken", "never")), "broken: page 3: broken: never", clockbox.Fatal},
	} {
		clockbox.Job(func(struct{}) (string, error) { return "", each.err })
		expect(t, nil, nil, each.failure)
		var failure *clockbox.Failure
		if errors.As(each.err, &failure) && failure.Kind != each.kind {
			t.Errorf("%v is of the kind %v", each.err, failure.Kind)
		}
	}
	if !errors.Is(clockbox.Retryf("busy", "later: %w", cause), cause) {
		t.Error("the cause is lost")
	}
}

func TestFactsLogAndProgress(t *testing.T) {
	host := clockboxtest.New(t)
	host.Attempt, host.Config["key"] = 3, "value"
	clockbox.Job(func(struct{}) ([]any, error) {
		slog.With("a", 1).WithGroup("g").Warn("at", "b", []int{2}, slog.Group("h", "c", true))
		slog.Log(t.Context(), clockbox.LevelTrace, "step")
		clockbox.Progress(1, 2, "half")
		value, ok := clockbox.Config("key")
		_, none := clockbox.Config("none")
		_, before := clockbox.PreviousSuccess()
		return []any{clockbox.Attempt(), value, ok, none, before, clockbox.ScheduledAt().Year(), clockbox.TimeLeft().String()}, clockbox.CheckCancelled()
	})
	expect(t, nil, []any{3.0, "value", true, false, false, 2030.0, "1m0s"}, "")
	want := []clockboxtest.Line{
		{Level: "warn", Message: "at", Fields: map[string]string{"a": "1", "g.b": "[2]", "g.h.c": "true"}},
		{Level: "trace", Message: "step", Fields: map[string]string{}},
	}
	if !reflect.DeepEqual(host.Lines, want) || *host.Progress != (clockboxtest.Progress{Done: 1, Total: 2, Note: "half"}) {
		t.Errorf("%+v", host)
	}
	host.Cancelled = true
	expect(t, nil, nil, "cancelled: the host asked the run to stop")
}

func TestStateStaysWithSuccessAndGoesWithFailure(t *testing.T) {
	host := clockboxtest.New(t)
	clockbox.Job(func(fail bool) (int, error) {
		count := 0
		if err := clockbox.StateLoad("count", &count); err != nil {
			return 0, err
		}
		count++
		if err := clockbox.StateStore("count", count); err != nil {
			return 0, err
		}
		if fail {
			return 0, clockbox.Fatalf("told", "to fail")
		}
		return count, nil
	})
	expect(t, false, 1.0, "")
	expect(t, true, nil, "told: to fail")
	expect(t, false, 2.0, "")
	host.State["count"] = []byte("x")
	expect(t, false, nil, `state: the value of "count" is not the JSON expected`)

	clockbox.Job(func(struct{}) ([]any, error) {
		first, _ := clockbox.StateSwap("a", nil, []byte("1"))
		second, _ := clockbox.StateSwap("a", []byte("0"), nil)
		keys, _ := clockbox.StateKeys("")
		had, _ := clockbox.StateDelete("a")
		return []any{first, second, keys, had}, clockbox.StateSet("", nil)
	})
	expect(t, nil, nil, "invalid-key: a key has 1 to 512 bytes")
}

func TestJobsAreAddedChangedAndRun(t *testing.T) {
	host := clockboxtest.New(t)
	clockbox.Job(func(struct{}) (any, error) {
		steps := []error{
			clockbox.AddJob("a", clockbox.Keys{"args": 1}, clockbox.Refuse),
			clockbox.AddJob("a", nil, clockbox.Ignore),
			clockbox.ModifyJob("a", clockbox.Keys{"args": 2}),
			clockbox.PauseJob("a", "enough"),
			clockbox.ResumeJob("a"),
			clockbox.RunJob("a"),
			clockbox.RunJobWith("a", []int{3}),
		}
		job, err := clockbox.GetJob("a")
		names, _ := clockbox.Jobs()
		none, _ := clockbox.GetJob("b")
		return []any{names, job["args"], none == nil}, errors.Join(append(steps, err)...)
	})
	expect(t, nil, []any{[]any{"a"}, 2.0, true}, "")
	if !reflect.DeepEqual(host.Runs, []clockboxtest.Run{{Job: "a"}, {Job: "a", Args: "[3]"}}) {
		t.Error(host.Runs)
	}
	clockbox.Job(func(struct{}) (any, error) { return nil, clockbox.AddJob("a", nil, clockbox.Refuse) })
	expect(t, nil, nil, "job-exists: ")
	clockbox.Job(func(struct{}) (any, error) { return nil, clockbox.RemoveJob("b") })
	expect(t, nil, nil, "no-such-job: ")
}

func TestTheHostOfTestsRefusesWhatARealOneDoes(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(func(struct{}) (any, error) { return nil, clockbox.AddJob("j", nil, clockbox.Refuse) })
	expect(t, nil, nil, "")
	for name, why := range map[string]string{
		"bad name!":              "' ' is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'",
		"":                       "a job name must not be empty",
		strings.Repeat("x", 129): "the job name is 129 bytes long; at most 128 are allowed",
		"x\xff":                  `the name "x\xff" is not UTF-8`,
	} {
		for _, call := range []func() error{
			func() error { return clockbox.AddJob(name, nil, clockbox.Refuse) },
			func() error { return clockbox.PauseJob(name, "") },
			func() error { return clockbox.RunJobWith(name, 1) },
		} {
			if err := call(); err == nil || err.Error() != "invalid-job: "+why {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, each := range []struct {
		err error
		why string
	}{
		{clockbox.AddJob("x", clockbox.Keys{"triger": 1, "description": "d"}, clockbox.Refuse), "description: unknown key; the keys here are allow, args, "},
		{clockbox.AddJob("x", clockbox.Keys{"triger": 1}, clockbox.Refuse), "triger: unknown key; the keys here are allow, args, "},
		{clockbox.ModifyJob("j", clockbox.Keys{"enabled": true}), "enabled: unknown key; the keys here are args, "},
		{clockbox.ModifyJob("j", nil), "not a JSON object: null"},
	} {
		if each.err == nil || !strings.HasPrefix(each.err.Error(), "invalid-job: "+each.why) {
			t.Errorf("%v, not %s", each.err, each.why)
		}
	}
}

// A key that the manifest learns is one that the host of tests must take.
func TestTheHostOfTestsKnowsTheKeysOfTheManifest(t *testing.T) {
	clockboxtest.New(t)
	source, err := os.ReadFile("../../host/src/manifest/jobs.rs")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "const KEYS: &[&str] = &[")
	list, _, _ := strings.Cut(rest, "];")
	keys := regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(list, -1)
	if len(keys) < 10 {
		t.Fatal(list)
	}
	for _, key := range keys {
		err := clockbox.AddJob("j", clockbox.Keys{key[1]: nil}, clockbox.Replace)
		// It is not kept of a job that is added while the host runs.
		if (err != nil) != (key[1] == "description") {
			t.Error(key[1], err)
		}
	}
}

func TestOddTextsReachTheHostAsText(t *testing.T) {
	host := clockboxtest.New(t)
	clockbox.Job(func(struct{}) (any, error) {
		var none *int
		slog.Info("a\xff", "k\xff", "v\xff", "nan", math.NaN(), "nil", nil, "none", none, "bytes", []byte("ab"), "empty", "",
			"time", time.Unix(0, 0).UTC(), "error", errors.New("e"), "", "no name")
		clockbox.Progress(1, 0, "\xff")
		return nil, clockbox.Fatalf("", "f\xff")
	})
	expect(t, nil, nil, "error: f\uFFFD")
	want := clockboxtest.Line{Level: "info", Message: "a\uFFFD", Fields: map[string]string{
		"k\uFFFD": "v\uFFFD", "nan": "NaN", "nil": "<nil>", "none": "<nil>", "bytes": "ab", "empty": "", "time": "1970-01-01T00:00:00Z", "error": "e",
	}}
	if !reflect.DeepEqual(host.Lines[0], want) || host.Progress.Note != "\uFFFD" || host.Progress.Total != 0 {
		t.Errorf("%+v, %+v", host.Lines, host.Progress)
	}
	_, get := clockbox.StateGet("\xff")
	_, remove := clockbox.StateDelete("\xff")
	_, keys := clockbox.StateKeys("\xff")
	_, swap := clockbox.StateSwap("\xff", nil, nil)
	for _, err := range []error{get, remove, keys, swap, clockbox.StateSet("\xff", nil)} {
		if err == nil || err.Error() != `invalid-key: the key "\xff" is not UTF-8` {
			t.Error(err)
		}
	}
	if err := clockbox.StateSetFor(-1, "k", nil); err == nil || clockbox.StateSetFor(1, "k", nil) != nil {
		t.Error(err)
	}
}

func TestAFailureOfACallIsAFailure(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(func(struct{}) (any, error) { return nil, clockbox.RetryAfterf(time.Second, "busy", "later") })
	_, err := clockboxtest.Call(nil)
	var failure *clockbox.Failure
	if !errors.As(err, &failure) || failure.Kind != clockbox.RetryAfter || failure.Delay != time.Second {
		t.Error(err)
	}
}

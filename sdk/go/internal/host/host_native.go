//go:build !wasip1

package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode"
)

// Line is a line that the job logged.
type Line struct {
	Level   string
	Message string
	Fields  map[string]string
}

// Memory is a host of tests: what it knows and has heard.
type Memory struct {
	JobID, RunID, ScheduledAt, PreviousSuccess, IdempotencyKey string
	Attempt                                                    uint32
	Manual, Cancelled                                          bool
	DeadlineMs                                                 uint64
	Config                                                     map[string]string

	Lines []Line
	Done  uint64
	Total *uint64
	Note  *string
	State map[string][]byte
	Jobs  map[string]map[string]any
	Runs  []string // "name" or "name args"
	HTTP  func(HTTPRequest) (HTTPResponse, *Refusal)
}

// Present is the host that jobs talk to outside a sandbox.
var Present = Fresh()

// Fresh is a host that knows and has heard nothing.
func Fresh() *Memory {
	return &Memory{
		JobID: "test-job", RunID: "test-run", ScheduledAt: "2030-01-01T00:00:00Z", IdempotencyKey: "test-key",
		Attempt: 1, DeadlineMs: 60_000,
		Config: map[string]string{}, State: map[string][]byte{}, Jobs: map[string]map[string]any{},
	}
}

func JobID() string                    { return Present.JobID }
func RunID() string                    { return Present.RunID }
func Attempt() uint32                  { return Present.Attempt }
func ScheduledAt() string              { return Present.ScheduledAt }
func PreviousSuccess() (string, bool)  { return Present.PreviousSuccess, Present.PreviousSuccess != "" }
func Manual() bool                     { return Present.Manual }
func IdempotencyKey() string           { return Present.IdempotencyKey }
func DeadlineMs() uint64               { return Present.DeadlineMs }
func IsCancelled() bool                { return Present.Cancelled }
func Config(key string) (string, bool) { value, ok := Present.Config[key]; return value, ok }

func Log(level uint8, message string, fields []Field) {
	line := Line{[]string{"trace", "debug", "info", "warn", "error"}[level], message, map[string]string{}}
	for _, field := range fields {
		line.Fields[field.Key] = field.Value
	}
	Present.Lines = append(Present.Lines, line)
}

func Report(done uint64, total *uint64, note *string) {
	Present.Done, Present.Total, Present.Note = done, total, note
}

func StateGet(key string) ([]byte, *Refusal) {
	return bytes.Clone(Present.State[key]), nil
}

func StateSet(key string, value []byte, _ uint64) *Refusal {
	if len(key) < 1 || len(key) > 512 || strings.ContainsFunc(key, unicode.IsControl) {
		return &Refusal{1, "a key has 1 to 512 bytes and no control characters"}
	}
	Present.State[key] = append([]byte{}, value...)
	return nil
}

func StateDelete(key string) (bool, *Refusal) {
	_, had := Present.State[key]
	delete(Present.State, key)
	return had, nil
}

func StateKeys(prefix string) ([]string, *Refusal) {
	keys := []string{}
	for key := range Present.State {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys, nil
}

func StateSwap(key string, expected, value []byte, ttlMs uint64) (bool, *Refusal) {
	now, had := Present.State[key]
	if had != (expected != nil) || !bytes.Equal(now, expected) {
		return false, nil
	}
	if value == nil {
		_, refusal := StateDelete(key)
		return true, refusal
	}
	return true, StateSet(key, value, ttlMs)
}

func JobsAdd(name, job string, conflict uint8) *Refusal {
	if _, taken := Present.Jobs[name]; taken && conflict == 0 {
		return &Refusal{2, fmt.Sprintf("there is a job %q already", name)}
	} else if taken && conflict == 2 {
		return nil
	}
	keys := map[string]any{}
	if err := json.Unmarshal([]byte(job), &keys); err != nil {
		return &Refusal{3, err.Error()}
	}
	Present.Jobs[name] = keys
	return nil
}

func change(name string, how func(map[string]any)) *Refusal {
	job, ok := Present.Jobs[name]
	if !ok {
		return &Refusal{1, fmt.Sprintf("there is no job %q", name)}
	}
	how(job)
	return nil
}

func JobsModify(name, changes string) *Refusal {
	var wrong error
	if refusal := change(name, func(job map[string]any) { wrong = json.Unmarshal([]byte(changes), &job) }); refusal != nil {
		return refusal
	}
	if wrong != nil {
		return &Refusal{3, wrong.Error()}
	}
	return nil
}

func JobsPause(name, note string) *Refusal {
	return change(name, func(job map[string]any) { job["paused"] = map[string]any{"note": note} })
}

func JobsResume(name string) *Refusal {
	return change(name, func(job map[string]any) { job["paused"] = nil })
}

func JobsRemove(name string) *Refusal {
	return change(name, func(map[string]any) { delete(Present.Jobs, name) })
}

func JobsRun(name string, args *string) *Refusal {
	return change(name, func(map[string]any) {
		run := name
		if args != nil {
			run += " " + *args
		}
		Present.Runs = append(Present.Runs, run)
	})
}

func JobsList() ([]string, *Refusal) {
	names := []string{}
	for name := range Present.Jobs {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

func JobsGet(name string) ([]byte, *Refusal) {
	job, ok := Present.Jobs[name]
	if !ok {
		return nil, nil
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, &Refusal{6, err.Error()}
	}
	return text, nil
}

func HTTPSend(request HTTPRequest) (HTTPResponse, *Refusal) {
	if Present.HTTP == nil {
		return HTTPResponse{}, &Refusal{1, request.Method + " " + request.URL + ": the test has no clockboxtest.AnswerHTTP"}
	}
	answer, refusal := Present.HTTP(request)
	if refusal == nil && request.MaxBody > 0 && uint64(len(answer.Body)) > request.MaxBody {
		return HTTPResponse{}, &Refusal{6, fmt.Sprintf("more than %d bytes", request.MaxBody)}
	}
	return answer, refusal
}

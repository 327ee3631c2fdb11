package clockbox

import (
	"encoding/json"
	"unicode/utf8"

	"clockbox/internal/host"
)

// Conflict is what becomes of a job that is added under a name that is taken.
type Conflict uint8

const (
	// Refuse: the call is refused.
	Refuse Conflict = iota
	// Replace: it takes the other's place, where the run may change that one.
	Replace
	// Ignore: the other stays as it is.
	Ignore
)

// Keys are those of a section [jobs.NAME] of the manifest.
type Keys map[string]any

var jobsCodes = []string{"jobs-denied", "no-such-job", "job-exists", "invalid-job", "too-many-jobs", "jobs-unavailable", "jobs"}

func jobsError(refusal *host.Refusal) error {
	return refused(refusal, jobsCodes, "too-many-jobs", "jobs-unavailable")
}

// named calls the host about a job; a name that is no text would end the run.
func named(name string, call func() *host.Refusal) error {
	if !utf8.ValidString(name) {
		return Fatalf("invalid-job", "the name %q is not UTF-8", name)
	}
	return jobsError(call())
}

func jsonOf(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", Fatalf("invalid-job", "JSON cannot hold it: %w", err)
	}
	return string(text), nil
}

// AddJob adds a job; without a trigger it runs once, at once. Needs the right `allow.jobs`, as all of these. What is asked for takes
// effect with the success of the run, and not at all when it fails.
func AddJob(name string, job Keys, onConflict Conflict) error {
	if job == nil {
		job = Keys{}
	}
	text, err := jsonOf(job)
	if err != nil {
		return err
	}
	return named(name, func() *host.Refusal { return host.JobsAdd(name, text, uint8(onConflict)) })
}

// ModifyJob changes a job that a run added: the keys to change.
func ModifyJob(name string, changes Keys) error {
	text, err := jsonOf(changes)
	if err != nil {
		return err
	}
	return named(name, func() *host.Refusal { return host.JobsModify(name, text) })
}

// PauseJob lets a job not fire until it is resumed, and says why.
func PauseJob(name, note string) error {
	return named(name, func() *host.Refusal { return host.JobsPause(name, clean(note)) })
}

// ResumeJob lets a job fire again.
func ResumeJob(name string) error {
	return named(name, func() *host.Refusal { return host.JobsResume(name) })
}

// RemoveJob removes a job that a run added.
func RemoveJob(name string) error {
	return named(name, func() *host.Refusal { return host.JobsRemove(name) })
}

// RunJob runs a job once, on top of its schedule, with its own arguments.
func RunJob(name string) error {
	return named(name, func() *host.Refusal { return host.JobsRun(name, nil) })
}

// RunJobWith runs a job once, on top of its schedule, with other arguments.
func RunJobWith(name string, args any) error {
	text, err := jsonOf(args)
	if err != nil {
		return err
	}
	return named(name, func() *host.Refusal { return host.JobsRun(name, &text) })
}

// Jobs are the names of the jobs that the run can see, in order.
func Jobs() ([]string, error) {
	names, refusal := host.JobsList()
	return names, jobsError(refusal)
}

// GetJob is a job that the run can see, with its keys and times; nil where there is none.
func GetJob(name string) (Keys, error) {
	var text []byte
	err := named(name, func() (refusal *host.Refusal) { text, refusal = host.JobsGet(name); return })
	if err != nil || text == nil {
		return nil, err
	}
	var keys Keys
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, Fatalf("jobs", "the host's answer is not JSON: %w", err)
	}
	return keys, nil
}

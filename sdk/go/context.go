package clockbox

import (
	"fmt"
	"time"

	"clockbox/internal/host"
)

// JobID is the name of the job.
func JobID() string { return host.JobID() }

// RunID is the id of the run, the same over all its attempts.
func RunID() string { return host.RunID() }

// Attempt is the number of this attempt, from 1.
func Attempt() int { return int(host.Attempt()) }

// ScheduledAt is the time that the run was scheduled for, with the offset of the job's zone.
func ScheduledAt() time.Time { return at(host.ScheduledAt()) }

// PreviousSuccess is the scheduled time of the job's latest successful run before this one; false before the first.
func PreviousSuccess() (time.Time, bool) {
	text, ok := host.PreviousSuccess()
	if !ok {
		return time.Time{}, false
	}
	return at(text), true
}

func at(text string) time.Time {
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(fmt.Sprintf("the host tells a time that is none: %v", err))
	}
	return moment
}

// IsManual is whether somebody asked for the run; else the job's trigger fired.
func IsManual() bool { return host.Manual() }

// IdempotencyKey names this run for ever: hand it to services that can tell a repetition apart.
func IdempotencyKey() string { return host.IdempotencyKey() }

// TimeLeft is how long it is until this attempt is stopped.
func TimeLeft() time.Duration { return time.Duration(host.DeadlineMs()) * time.Millisecond }

// IsCancelled is whether the host wants this run to stop soon.
func IsCancelled() bool { return host.IsCancelled() }

// CheckCancelled is an error where the host wants this run to stop: a job that loops returns it.
func CheckCancelled() error {
	if IsCancelled() {
		return Cancelledf("the host asked the run to stop")
	}
	return nil
}

// Config is a value of the plugin's `config` table in the manifest, or a secret.
func Config(key string) (string, bool) { return host.Config(clean(key)) }

// Progress reports how far the run has come; a total of 0 is not known, and the note may be empty. Reports that come too fast are
// merged: the latest counts.
func Progress(done, total uint64, note string) {
	var ofTotal *uint64
	var ofNote *string
	if total > 0 {
		ofTotal = &total
	}
	if note != "" {
		note = clean(note)
		ofNote = &note
	}
	host.Report(done, ofTotal, ofNote)
}

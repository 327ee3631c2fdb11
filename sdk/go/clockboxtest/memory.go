//go:build !wasip1

package clockboxtest

import (
	"bytes"
	"sort"
	"strings"
	"time"
	"unicode"

	"clockbox/internal/host"
)

// memory answers the calls of a job out of a Host.
type memory struct{ *Host }

func (m memory) JobID() string          { return m.Host.JobID }
func (m memory) RunID() string          { return m.Host.RunID }
func (m memory) IdempotencyKey() string { return m.Host.IdempotencyKey }
func (m memory) Attempt() uint32        { return uint32(m.Host.Attempt) }
func (m memory) ScheduledAt() string    { return m.Host.ScheduledAt.Format(time.RFC3339Nano) }
func (m memory) PreviousSuccess() (string, bool) {
	return m.Host.PreviousSuccess.Format(time.RFC3339Nano), !m.Host.PreviousSuccess.IsZero()
}
func (m memory) Manual() bool       { return m.Host.Manual }
func (m memory) DeadlineMs() uint64 { return uint64(max(m.TimeLeft.Milliseconds(), 0)) }
func (m memory) IsCancelled() bool  { return m.Cancelled }
func (m memory) Config(key string) (string, bool) {
	value, ok := m.Host.Config[key]
	return value, ok
}

func (m memory) Log(level uint8, message string, fields []host.Field) {
	line := Line{Level: host.Levels[level], Message: message, Fields: map[string]string{}}
	for _, field := range fields {
		line.Fields[field.Key] = field.Value
	}
	m.Lines = append(m.Lines, line)
}

func (m memory) Report(done uint64, total *uint64, note *string) {
	m.Progress = &Progress{Done: done}
	if total != nil {
		m.Progress.Total = *total
	}
	if note != nil {
		m.Progress.Note = *note
	}
}

func checkKey(key string) *host.Refusal {
	if len(key) < 1 || len(key) > 512 || strings.ContainsFunc(key, unicode.IsControl) {
		return &host.Refusal{Case: 1, Message: "a key has 1 to 512 bytes and no control characters"}
	}
	return nil
}

func (m memory) StateGet(key string) ([]byte, *host.Refusal) {
	return bytes.Clone(m.State[key]), checkKey(key)
}

func (m memory) StateSet(key string, value []byte, _ uint64) *host.Refusal {
	if refusal := checkKey(key); refusal != nil {
		return refusal
	}
	m.State[key] = append([]byte{}, value...)
	return nil
}

func (m memory) StateDelete(key string) (bool, *host.Refusal) {
	_, had := m.State[key]
	delete(m.State, key)
	return had, checkKey(key)
}

func (m memory) StateKeys(prefix string) ([]string, *host.Refusal) {
	keys := []string{}
	for key := range m.State {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys, nil
}

func (m memory) StateSwap(key string, expected, value []byte, ttlMs uint64) (bool, *host.Refusal) {
	now, had := m.State[key]
	if had != (expected != nil) || !bytes.Equal(now, expected) {
		return false, checkKey(key)
	}
	if value == nil {
		_, refusal := m.StateDelete(key)
		return true, refusal
	}
	return true, m.StateSet(key, value, ttlMs)
}

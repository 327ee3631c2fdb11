package clockbox

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"clockbox/internal/host"
)

var stateCodes = []string{"state-denied", "invalid-key", "state-full", "state-unavailable", "state"}

func stateError(refusal *host.Refusal) error {
	return refused(refusal, stateCodes, "state-unavailable")
}

func notText(key string) error { return Fatalf("invalid-key", "the key %q is not UTF-8", key) }

// StateGet is the value of a key: what the job remembers from one run to the next. It is nil where there is none, or where it has
// expired. Needs the right `allow.state`. What a run changes takes effect with its success, and not at all when it fails.
func StateGet(key string) ([]byte, error) {
	if !utf8.ValidString(key) {
		return nil, notText(key)
	}
	value, refusal := host.StateGet(key)
	return value, stateError(refusal)
}

// StateSet sets the value of a key.
func StateSet(key string, value []byte) error { return StateSetFor(0, key, value) }

// StateSetFor sets the value of a key, which is gone after some time; 0 is for ever.
func StateSetFor(ttl time.Duration, key string, value []byte) error {
	if !utf8.ValidString(key) {
		return notText(key)
	}
	if ttl < 0 {
		return Fatalf("state", "the time to live of %q, %v, lies in the past", key, ttl)
	}
	var ms uint64
	if ttl > 0 {
		ms = max(uint64(ttl.Milliseconds()), 1)
	}
	return stateError(host.StateSet(key, value, ms))
}

// StateLoad reads the value of a key as JSON into a variable, which stays as it is where there is none.
func StateLoad(key string, into any) error {
	value, err := StateGet(key)
	if err != nil || value == nil {
		return err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return Fatalf("state", "the value of %q is not the JSON expected: %w", key, err)
	}
	return nil
}

// StateStore sets the value of a key, as JSON.
func StateStore(key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return Fatalf("state", "the value for %q cannot be written as JSON: %w", key, err)
	}
	return StateSet(key, text)
}

// StateDelete deletes a key; true where it had a value.
func StateDelete(key string) (bool, error) {
	if !utf8.ValidString(key) {
		return false, notText(key)
	}
	had, refusal := host.StateDelete(key)
	return had && refusal == nil, stateError(refusal)
}

// StateKeys are the keys that begin with a prefix, in the order of their bytes.
func StateKeys(prefix string) ([]string, error) {
	if !utf8.ValidString(prefix) {
		return nil, notText(prefix)
	}
	keys, refusal := host.StateKeys(prefix)
	return keys, stateError(refusal)
}

// StateSwap sets the value of a key (nil deletes it) where it has the expected one (nil: where it has none); true where it had. That
// is compared again when the success of the run is recorded, and the attempt fails where somebody else has changed the key.
func StateSwap(key string, expected, value []byte) (bool, error) {
	if !utf8.ValidString(key) {
		return false, notText(key)
	}
	swapped, refusal := host.StateSwap(key, expected, value, 0)
	return swapped && refusal == nil, stateError(refusal)
}

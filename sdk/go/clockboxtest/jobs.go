//go:build !wasip1

package clockboxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"clockbox"
	"clockbox/internal/host"
)

// The keys of a job that a run may say and change; what they hold, the real host looks at.
var (
	keysToChange = []string{
		"args", "coalesce", "delivery", "max_instances", "misfire_grace", "overlap", "plugin", "pool", "priority", "retry", "trigger", "when_done",
	}
	keysToAdd = append([]string{"allow", "enabled"}, keysToChange...)
)

func invalidJob(format string, args ...any) *host.Refusal {
	return &host.Refusal{Case: 3, Message: fmt.Sprintf(format, args...)}
}

func checkName(name string) *host.Refusal {
	if name == "" {
		return invalidJob("a job name must not be empty")
	}
	if len(name) > 128 {
		return invalidJob("the job name is %d bytes long; at most 128 are allowed", len(name))
	}
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) && !strings.ContainsRune("._-:@", c) {
			return invalidJob("%q is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'", c)
		}
	}
	return nil
}

func keysOf(text string, allowed []string) (clockbox.Keys, *host.Refusal) {
	var keys clockbox.Keys
	if err := json.Unmarshal([]byte(text), &keys); err != nil || keys == nil {
		return nil, invalidJob("not a JSON object: %s", text)
	}
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(allowed, key) {
			wrong = append(wrong, key+": unknown key; the keys here are "+strings.Join(slices.Sorted(slices.Values(allowed)), ", "))
		}
	}
	if wrong != nil {
		return nil, invalidJob("%s", strings.Join(wrong, "\n"))
	}
	return keys, nil
}

func (m memory) JobsAdd(name, job string, conflict uint8) *host.Refusal {
	if refusal := checkName(name); refusal != nil {
		return refusal
	}
	keys, refusal := keysOf(job, keysToAdd)
	if refusal != nil {
		return refusal
	}
	_, taken := m.Jobs[name]
	switch {
	case taken && clockbox.Conflict(conflict) == clockbox.Refuse:
		return &host.Refusal{Case: 2, Message: fmt.Sprintf("there is a job %q already", name)}
	case taken && clockbox.Conflict(conflict) == clockbox.Ignore:
		return nil
	}
	m.Jobs[name] = keys
	return nil
}

func (m memory) change(name string, how func(clockbox.Keys) *host.Refusal) *host.Refusal {
	if refusal := checkName(name); refusal != nil {
		return refusal
	}
	job, ok := m.Jobs[name]
	if !ok {
		return &host.Refusal{Case: 1, Message: fmt.Sprintf("there is no job %q", name)}
	}
	return how(job)
}

func (m memory) JobsModify(name, changes string) *host.Refusal {
	return m.change(name, func(job clockbox.Keys) *host.Refusal {
		keys, refusal := keysOf(changes, keysToChange)
		maps.Copy(job, keys)
		return refusal
	})
}

func (m memory) JobsPause(name, note string) *host.Refusal {
	return m.change(name, func(job clockbox.Keys) *host.Refusal {
		job["paused"] = map[string]any{"note": note}
		return nil
	})
}

func (m memory) JobsResume(name string) *host.Refusal {
	return m.change(name, func(job clockbox.Keys) *host.Refusal {
		job["paused"] = nil
		return nil
	})
}

func (m memory) JobsRemove(name string) *host.Refusal {
	return m.change(name, func(clockbox.Keys) *host.Refusal {
		delete(m.Jobs, name)
		return nil
	})
}

func (m memory) JobsRun(name string, args *string) *host.Refusal {
	return m.change(name, func(clockbox.Keys) *host.Refusal {
		run := Run{Job: name}
		if args != nil {
			run.Args = *args
		}
		m.Runs = append(m.Runs, run)
		return nil
	})
}

func (m memory) JobsList() ([]string, *host.Refusal) {
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(m.Jobs)))), nil
}

func (m memory) JobsGet(name string) ([]byte, *host.Refusal) {
	job, ok := m.Jobs[name]
	if !ok {
		return nil, nil
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, &host.Refusal{Case: 6, Message: err.Error()}
	}
	return text, nil
}

// Greets somebody.
package main

import (
	"log/slog"
	"strings"

	"clockbox"
)

type args struct {
	Name  string `json:"name" clockbox:"required"`
	Times int    `json:"times"`
}

// Defaults says what the arguments are where nothing else is said.
func (a *args) Defaults() { a.Times = 1 }

func run(a args) (string, error) {
	if a.Times < 1 {
		return "", clockbox.InvalidArgsf("args.times: expected 1 or more, found %d", a.Times)
	}
	slog.Info("greeting", "name", a.Name)
	return strings.Repeat(", hello "+a.Name, a.Times)[2:], nil
}

func init() { clockbox.Job(run) }

// A plugin has no main of its own: the host calls the job.
func main() {}

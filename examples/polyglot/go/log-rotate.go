// Rotates the logs of a folder that have grown too large: x.log becomes x.log.1.gz, that one x.log.2.gz, and the oldest goes.
package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"clockbox"
)

type args struct {
	Folder   string `json:"folder" clockbox:"required"`
	Glob     string `json:"glob"`
	MaxBytes int64  `json:"max_bytes" clockbox:"required"`
	Keep     int    `json:"keep"`
}

// Defaults says what the arguments are where nothing else is said.
func (a *args) Defaults() { a.Glob, a.Keep = "*.log", 5 }

type report struct {
	Looked  int      `json:"looked"`
	Rotated []string `json:"rotated"`
	Saved   int64    `json:"saved"`
}

func run(a args) (report, error) {
	done := report{Rotated: []string{}}
	if a.Keep < 1 || a.Keep > 1000 {
		return done, clockbox.InvalidArgsf("args.keep: expected 1 to 1000, found %d", a.Keep)
	}
	logs, err := filepath.Glob(filepath.Join(a.Folder, a.Glob))
	if err != nil {
		return done, clockbox.InvalidArgsf("args.glob: %w", err)
	}
	for i, path := range logs {
		if err := clockbox.CheckCancelled(); err != nil {
			return done, err
		}
		name := filepath.Base(path)
		clockbox.Progress(uint64(i), uint64(len(logs)), name)
		done.Looked++
		// What a run that was cut short left behind is finished first.
		if _, err := compress(path + ".1"); err != nil {
			return done, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return done, err
		}
		if info.Size() <= a.MaxBytes {
			continue
		}
		saved, err := rotate(path, a.Keep)
		if err != nil {
			return done, err
		}
		slog.Info("rotated", "log", name, "bytes", info.Size(), "saved", saved)
		done.Rotated = append(done.Rotated, name)
		done.Saved += saved
	}
	return done, nil
}

func rotate(path string, keep int) (int64, error) {
	for n := keep; n >= 1; n-- {
		from := fmt.Sprintf("%s.%d.gz", path, n)
		var err error
		if n == keep {
			err = os.Remove(from)
		} else {
			err = os.Rename(from, fmt.Sprintf("%s.%d.gz", path, n+1))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	if err := os.Rename(path, path+".1"); err != nil {
		return 0, err
	}
	return compress(path + ".1")
}

// compress makes path.gz of path, and says how much smaller it is; where there is no path it does nothing.
func compress(path string) (int64, error) {
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer from.Close()
	part := path + ".gz.part"
	to, err := os.Create(part)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	packer := gzip.NewWriter(to)
	read, err := io.Copy(packer, from)
	if err = errors.Join(err, packer.Close()); err != nil {
		return 0, err
	}
	info, err := to.Stat()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(os.Rename(part, path+".gz"), os.Remove(path)); err != nil {
		return 0, err
	}
	return read - info.Size(), nil
}

func init() { clockbox.Job(run) }

// A plugin has no main of its own: the host calls the job.
func main() {}

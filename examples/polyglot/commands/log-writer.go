// An ordinary command, built with GOOS=wasip1: writes lines into a log. Its arguments are JSON on standard input, the facts of the
// run are environment variables, and its exit code is the outcome.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	var args struct {
		File  string `json:"file"`
		Lines int    `json:"lines"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&args); err != nil || args.File == "" {
		fmt.Fprintln(os.Stderr, `args: expected { "file": "…", "lines": 10 }`)
		os.Exit(2)
	}
	if err := write(args.File, args.Lines); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(args.Lines, "lines into", args.File)
}

func write(path string, lines int) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	for i := range lines {
		fmt.Fprintf(file, "%s %s line %d\n", os.Getenv("CLOCKBOX_SCHEDULED_AT"), os.Getenv("CLOCKBOX_JOB_ID"), i+1)
	}
	return file.Close()
}

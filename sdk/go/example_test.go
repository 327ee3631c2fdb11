package clockbox_test

import (
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"clockbox"
	"clockbox/clockboxtest"
)

type Feed struct {
	URL  string `json:"url" clockbox:"required"`
	Days int    `json:"days"`
}

func (f *Feed) Defaults() { f.Days = 7 }

type Args struct {
	Feeds []Feed `json:"feeds" clockbox:"required"`
	Label string `json:"label"`
	Limit *int   `json:"limit"` // nil where it is left out
}

func count() (int, error) {
	runs := 0
	if err := clockbox.StateLoad("runs", &runs); err != nil { // stays 0 where there is none
		return 0, err
	}
	runs++
	return runs, clockbox.StateStore("runs", runs)
}

func remind(text string, at time.Time) error {
	return clockbox.AddJob("reminder", clockbox.Keys{
		"plugin":  "mailer", // without, the run's own
		"trigger": clockbox.Keys{"date": at.Format(time.RFC3339)},
		"args":    clockbox.Keys{"text": text},
	}, clockbox.Replace)
}

func fetchAll(feeds []Feed) error {
	for i, feed := range feeds {
		if err := clockbox.CheckCancelled(); err != nil {
			return err
		}
		clockbox.Progress(uint64(i), uint64(len(feeds)), feed.URL)
		if err := fetch(feed); err != nil {
			return err
		}
	}
	return nil
}

func fetch(feed Feed) error {
	response, err := clockbox.HTTPGet(feed.URL)
	if err != nil {
		return err
	}
	switch {
	case response.StatusCode == 429:
		return clockbox.RetryAfterf(time.Minute, "busy", "%s asks to wait", feed.URL)
	case response.StatusCode == 404:
		return clockbox.Fatalf("gone", "%s is not there any more", feed.URL)
	case !response.OK():
		return clockbox.Retryf("status", "%s answers with %d", feed.URL, response.StatusCode)
	}
	var news struct{ Items []string }
	if err := response.JSON(&news); err != nil {
		return err
	}
	slog.Info("fetched", "feed", feed.URL, "items", len(news.Items))
	return nil
}

func run(args Args) (int, error) {
	if err := fetchAll(args.Feeds); err != nil {
		return 0, err
	}
	if args.Label != "" {
		if err := remind(args.Label, clockbox.ScheduledAt().Add(time.Hour)); err != nil {
			return 0, err
		}
	}
	return count()
}

func TestItCountsItsRuns(t *testing.T) {
	clockbox.Job(run)
	host := clockboxtest.New(t)
	host.State["runs"] = []byte("41")
	host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
		return &clockbox.HTTPResponse{StatusCode: 200, Body: []byte(`{"items":["a"]}`)}, nil
	}
	args := Args{Feeds: []Feed{{URL: "https://a.example"}}, Label: "read it"}
	output, err := clockboxtest.Call(args)
	if err != nil || output != 42.0 || host.Progress.Note != "https://a.example" || host.Jobs["reminder"] == nil {
		t.Errorf("%v, %v, %+v", output, err, host)
	}

	host.Cancelled = true
	if _, err := clockboxtest.Call(args); err == nil || string(host.State["runs"]) != "42" {
		t.Errorf("%v, %v", err, host.State)
	}
}

func TestItAsksForARetryWhereThatCanHelp(t *testing.T) {
	clockbox.Job(run)
	host := clockboxtest.New(t)
	for status, failure := range map[int]string{
		429: "busy: https://a.example asks to wait",
		404: "gone: https://a.example is not there any more",
		500: "status: https://a.example answers with 500",
	} {
		host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
			return &clockbox.HTTPResponse{StatusCode: status}, nil
		}
		if _, err := clockboxtest.Call(Args{Feeds: []Feed{{URL: "https://a.example"}}}); err == nil || err.Error() != failure {
			t.Error(err)
		}
	}
}

// What the README shows is what is compiled and run here.
func TestTheREADMEShowsTheseExamples(t *testing.T) {
	squeezed := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	var sources string
	for _, name := range []string{"example_test.go", "job.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources += squeezed(strings.ReplaceAll(string(source), "//\t", "")) + "\n"
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 6 {
		t.Fatalf("only %d blocks", len(blocks))
	}
	for _, block := range blocks {
		// Without the lines that a program begins with, piece by piece between empty lines.
		for _, piece := range strings.Split(block[1], "\n\n") {
			if !strings.HasPrefix(piece, "package ") && !strings.HasPrefix(piece, "import ") && !strings.Contains(sources, squeezed(piece)) {
				t.Errorf("it is not in example_test.go:\n%s", piece)
			}
		}
	}
}

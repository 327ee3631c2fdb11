package clockbox_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"clockbox"
	"clockbox/clockboxtest"
)

func TestARequestReachesTheAnswerAsItWasBuilt(t *testing.T) {
	host := clockboxtest.New(t)
	var asked *clockbox.HTTPRequest
	host.HTTP = func(request *clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
		asked = request
		header := clockbox.HTTPHeader{}
		header.Add("X-Kind", "Answer")
		header.Add("x-kind", "another")
		return &clockbox.HTTPResponse{StatusCode: 201, Header: header, Body: []byte(`{"rate":1.25}`)}, nil
	}
	clockbox.Job(func(struct{}) ([]any, error) {
		header := clockbox.HTTPHeader{}
		header.Set("X-Asked", "yes")
		response, err := clockbox.HTTPDo(&clockbox.HTTPRequest{
			Method: "PUT", URL: "https://x.example", Header: header, Body: []byte{255}, Timeout: time.Second, MaxBody: 20,
		})
		if err != nil {
			return nil, err
		}
		var body struct {
			Rate float64 `json:"rate"`
		}
		err = response.JSON(&body)
		return []any{response.StatusCode, response.OK(), response.Header.Get("X-KIND"), len(response.Header.Values("x-kind")), body.Rate}, err
	})
	expect(t, nil, []any{201.0, true, "Answer", 2.0, 1.25}, "")
	want := &clockbox.HTTPRequest{
		Method: "PUT", URL: "https://x.example", Header: clockbox.HTTPHeader{"x-asked": {"yes"}}, Body: []byte{255},
		Timeout: time.Second, MaxBody: 20,
	}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("%+v", asked)
	}

	clockbox.Job(func(struct{}) (any, error) {
		_, err := clockbox.HTTPPostJSON("https://x.example", map[string]int{"a": 1})
		return nil, err
	})
	expect(t, nil, nil, "")
	if asked.Method != "POST" || asked.Header.Get("content-type") != "application/json" || string(asked.Body) != `{"a":1}` {
		t.Errorf("%+v", asked)
	}
}

func TestAnyStatusIsAnAnswer(t *testing.T) {
	host := clockboxtest.New(t)
	host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
		return &clockbox.HTTPResponse{StatusCode: 404, Body: []byte("not here")}, nil
	}
	clockbox.Job(func(parse bool) ([]any, error) {
		response, err := clockbox.HTTPGet("https://x.example")
		if err == nil && parse {
			err = response.JSON(&struct{}{})
		}
		return []any{response.StatusCode, response.OK(), response.Header.Get("none"), string(response.Body)}, err
	})
	expect(t, false, []any{404.0, false, "", "not here"}, "")
	expect(t, true, nil, "protocol: the body is not the JSON expected: ")
}

func TestAnHTTPErrorKeepsItsCodeAndAsksForARetryOnlyWhereThatCanHelp(t *testing.T) {
	host := clockboxtest.New(t)
	kinds := map[string]clockbox.Kind{"invalid-request": clockbox.InvalidArgs, "http-denied": clockbox.Fatal, "too-large": clockbox.Fatal}
	for _, code := range []string{"dns", "connect", "timeout", "tls", "protocol"} {
		kinds[code] = clockbox.Retry
	}
	for code, kind := range kinds {
		host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
			return nil, clockbox.Retryf(code, "because")
		}
		_, err := clockbox.HTTPGet("https://x.example")
		failure, ok := err.(*clockbox.Failure)
		if !ok || failure.Kind != kind || failure.Error() != code+": because" {
			t.Errorf("%s: %v", code, err)
		}
	}
	host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
		return nil, clockbox.Retryf("odd", "because")
	}
	if _, err := clockbox.HTTPGet("https://x.example"); err == nil || err.Error() != "protocol: because" {
		t.Error(err)
	}
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	host := clockboxtest.New(t)
	ask := func(request clockbox.HTTPRequest) string {
		if _, err := clockbox.HTTPDo(&request); err != nil {
			return err.Error()
		}
		return ""
	}
	if failure := ask(clockbox.HTTPRequest{URL: "https://x.example"}); failure != "http-denied: GET https://x.example: the test's host has no HTTP" {
		t.Error(failure)
	}
	host.HTTP = func(*clockbox.HTTPRequest) (*clockbox.HTTPResponse, error) {
		return &clockbox.HTTPResponse{StatusCode: 200, Body: []byte("1234")}, nil
	}
	if failure := ask(clockbox.HTTPRequest{MaxBody: 4}); failure != "" {
		t.Error(failure)
	}
	if failure := ask(clockbox.HTTPRequest{MaxBody: 3}); failure != "too-large: more than 3 bytes" {
		t.Error(failure)
	}
	if failure := ask(clockbox.HTTPRequest{Timeout: -time.Second}); failure != "invalid-request: the timeout -1s lies in the past" {
		t.Error(failure)
	}
	for _, request := range []clockbox.HTTPRequest{{URL: "x\xff"}, {Header: clockbox.HTTPHeader{"a": {"\xff"}}}} {
		if failure := ask(request); !strings.HasPrefix(failure, "invalid-request: ") || !strings.HasSuffix(failure, " is not UTF-8") {
			t.Error(failure)
		}
	}
	if _, err := clockbox.HTTPPostJSON("https://x.example", math.NaN()); err == nil || err.(*clockbox.Failure).Code != "invalid-request" {
		t.Error(err)
	}
}

package main

import (
	"testing"

	"clockbox/clockboxtest"
)

func TestItGreets(t *testing.T) {
	host := clockboxtest.New(t)
	output, err := clockboxtest.Call(map[string]any{"name": "Ada", "times": 2})
	if output != "hello Ada, hello Ada" || err != nil {
		t.Errorf("%v, %v", output, err)
	}
	if len(host.Lines) != 1 || host.Lines[0].Message != "greeting" {
		t.Errorf("%v", host.Lines)
	}
}

func TestItIsNotRunWithoutAName(t *testing.T) {
	clockboxtest.New(t)
	if output, err := clockboxtest.Call(nil); err == nil || err.Error() != "invalid-args: args.name: missing" {
		t.Errorf("%v, %v", output, err)
	}
}

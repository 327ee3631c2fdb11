package host

import (
	"strings"
	"testing"
)

func TestWithoutAJobTheRunFailsForGood(t *testing.T) {
	answer := Serve("null")
	if !answer.Failed || answer.Case != 3 || answer.Code != "no-job" || !strings.Contains(answer.Message, "call clockbox.Job in init") {
		t.Errorf("%+v", answer)
	}
}

func TestWithoutAHostLogsGoOnAndTheRestSaysWhatToDo(t *testing.T) {
	Log(2, "greeting", []Field{{"name", "Ada"}})
	defer func() {
		if told := recover(); told == nil || !strings.Contains(told.(string), "imports clockbox/clockboxtest") {
			t.Error(told)
		}
	}()
	JobID()
}

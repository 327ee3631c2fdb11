package clockbox_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"clockbox"
	"clockbox/clockboxtest"
)

type target struct {
	Host string `json:"host" clockbox:"required"`
	Port uint8  `json:"port"`
}

func (t *target) Defaults() { t.Port = 80 }

type common struct {
	Label string `json:"label" clockbox:"required"`
}

type limits struct {
	Most  int    `json:"most" clockbox:"required"`
	Least *int   `json:"least"`
	Unit  string `json:"unit"`
}

func (l *limits) Defaults() { l.Unit = "s" }

type plan struct {
	common
	Targets []target          `json:"targets"`
	Named   map[string]target `json:"named"`
	Spare   *target           `json:"spare"`
	Limits  limits            `json:"limits"`
	Steps   int               `json:"steps"`
	Ports   map[int]bool      `json:"ports"`
	Pair    [2]float64        `json:"pair"`
	Since   time.Time         `json:"since"`
	Raw     json.RawMessage   `json:"raw"`
	Blob    []byte            `json:"blob"`
	Count   int               `json:"count,string"`
	Any     any               `json:"any"`
	hidden  int
	Left    string `json:"-"`
}

func (p *plan) Defaults() { p.Limits.Most = 9 }

func told(p plan) (string, error) {
	return fmt.Sprintf("%s %v %v %v %v", p.Label, p.Targets, p.Named, p.Spare, p.Limits), nil
}

func TestDefaultsAndRequiredHoldInside(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(told)
	for _, each := range []struct{ args, output string }{
		{`{"label":"l"}`, "l [] map[] <nil> {9 <nil> s}"},
		{`{"label":"l","targets":[{"host":"a"},{"host":"b","port":1}]}`, "l [{a 80} {b 1}] map[] <nil> {9 <nil> s}"},
		{`{"label":"l","named":{"x":{"host":"a"}},"spare":{"host":"b"}}`, "l [] map[x:{a 80}] &{b 80} {9 <nil> s}"},
		{`{"LABEL":"l","limits":{"most":1,"unit":"h"},"spare":null,"targets":null}`, "l [] map[] <nil> {1 <nil> h}"},
		{`{"label":"l","limits":null,"steps":null,"raw":null,"count":"7","blob":"AQI=","ports":{"1":true},"pair":[1,2],"any":[1]}`, "l [] map[] <nil> {9 <nil> s}"},
	} {
		expect(t, json.RawMessage(each.args), each.output, "")
	}
}

func TestARefusalSaysWhereAndWhatWasExpected(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(told)
	for _, each := range []struct{ args, refusal string }{
		{`{}`, "args.label: missing"},
		{`{"label":"l","targets":[{"host":"a"},{"port":1}]}`, "args.targets[1].host: missing"},
		{`{"label":"l","targets":[null]}`, "args.targets[0]: expected an object, found null"},
		{`{"label":"l","targets":{"host":"a"}}`, `args.targets: expected a list, found {"host":"a"}`},
		{`{"label":"l","named":{"x":{"prt":1}}}`, "args.named.x.prt: unknown; known are: host, port"},
		{`{"label":"l","named":[]}`, "args.named: expected an object, found []"},
		{`{"label":"l","spare":{}}`, "args.spare.host: missing"},
		{`{"label":"l","limits":{}}`, "args.limits.most: missing"},
		{`{"label":"l","limits":{"most":1,"least":"x"}}`, `args.limits.least: expected an integer, found "x"`},
		{`{"label":"l","steps":1.5}`, "args.steps: expected an integer, found 1.5"},
		{`{"label":"l","steps":1e400}`, "args.steps: expected an integer, found 1e400"},
		{`{"label":"l","targets":[{"host":"a","port":256}]}`, "args.targets[0].port: expected an integer from 0 to 255, found 256"},
		{`{"label":"l","targets":[{"host":"a","port":-1}]}`, "args.targets[0].port: expected an integer from 0 to 255, found -1"},
		{`{"label":"l","ports":{"x":true}}`, "args.ports.x: the key is not an integer"},
		{`{"label":"l","ports":{"1":null}}`, "args.ports.1: expected true or false, found null"},
		{`{"label":"l","pair":[1]}`, "args.pair: expected a list of 2, found [1]"},
		{`{"label":"l","pair":[1,"2"]}`, `args.pair[1]: expected a number, found "2"`},
		{`{"label":"l","blob":5}`, "args.blob: expected a string in base64, found 5"},
		{`{"label":"l","count":7}`, "args.count: expected a string that holds an integer, found 7"},
		{`{"label":"l","count":"x"}`, `args.count: expected a string that holds an integer, found "x"`},
		{`{"label":["` + fmt.Sprintf("%070d", 1) + `"]}`, "args.label: expected a string, found a list"},
		{`{"label":"l","left":""}`, "args.left: unknown; known are: label, targets, "},
		{`{"label":"l","LABEL":"l"}`, "args.label: said twice"},
		{`{"label":"l","hidden":1}`, "args.hidden: unknown; known are: label, targets, "},
	} {
		expect(t, json.RawMessage(each.args), nil, "invalid-args: "+each.refusal)
	}
	expect(t, json.RawMessage(`{"label":"l","since":"x"}`), nil, "invalid-args: args.since: ")
}

func TestAStructThatIsLeftOutIsMissedWhereItsDefaultsSayNothing(t *testing.T) {
	clockboxtest.New(t)
	type outer struct {
		Server struct {
			Target target `json:"target"`
		} `json:"server"`
	}
	clockbox.Job(func(o outer) (uint8, error) { return o.Server.Target.Port, nil })
	expect(t, nil, nil, "invalid-args: args.server.target.host: missing")
	expect(t, json.RawMessage(`{"server":{"target":{"host":"a"}}}`), 80.0, "")
}

func TestListsOfNumbersSayWhereToo(t *testing.T) {
	clockboxtest.New(t)
	clockbox.Job(func(list []int) (int, error) { return len(list), nil })
	expect(t, []int{1, 2}, 2.0, "")
	expect(t, json.RawMessage(`[1, null]`), nil, "invalid-args: args[1]: expected an integer, found null")
	expect(t, json.RawMessage(`[1, 2, "x"]`), nil, `invalid-args: args[2]: expected an integer, found "x"`)
	clockbox.Job(func(m map[string]any) (int, error) { return len(m), nil })
	expect(t, json.RawMessage(`{"a": null, "b": [1]}`), 2.0, "")
}

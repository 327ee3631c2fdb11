package clockbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// Defaulter is an argument type that says what it is where nothing else is said: its method is called before the arguments are read.
type Defaulter interface{ Defaults() }

// parse reads arguments: JSON as encoding/json has it, without unknown keys, and with those marked `clockbox:"required"`.
func parse[A any](text string) (A, error) {
	var args A
	if defaulter, ok := any(&args).(Defaulter); ok {
		defaulter.Defaults()
	}
	trimmed := strings.TrimSpace(text)
	kind := reflect.TypeOf((*A)(nil)).Elem()
	if trimmed == "" || (trimmed == "null" && kind.Kind() == reflect.Struct) {
		trimmed = "{}"
		if kind.Kind() != reflect.Struct {
			trimmed = "null"
		}
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&args); err != nil {
		return args, InvalidArgsf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return args, InvalidArgsf("there is more after the JSON")
	}
	return args, missing(kind, trimmed)
}

func missing(kind reflect.Type, text string) error {
	if kind.Kind() != reflect.Struct {
		return nil
	}
	var given map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewBufferString(text)).Decode(&given); err != nil {
		return InvalidArgsf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	for i := range kind.NumField() {
		field := kind.Field(i)
		if field.Tag.Get("clockbox") != "required" {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if value, ok := given[name]; !ok || string(value) == "null" {
			return InvalidArgsf("args.%s: missing", name)
		}
	}
	return nil
}

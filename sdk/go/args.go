package clockbox

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Defaulter is an argument type that says what it is where nothing else is said: its method is called before the arguments are read,
// of each struct in them from the inside out.
type Defaulter interface{ Defaults() }

var defaulter = reflect.TypeFor[Defaulter]()

// parse reads arguments: JSON as encoding/json has it, without unknown keys, and with those marked `clockbox:"required"`.
func parse[A any](text string) (A, error) {
	var args A
	into := reflect.ValueOf(&args).Elem()
	preset(into)
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed == "null" {
		if into.Kind() != reflect.Struct || readsItself(into.Type()) {
			return args, nil
		}
		trimmed = "{}"
	}
	var value json.RawMessage
	if err := json.Unmarshal([]byte(trimmed), &value); err != nil {
		return args, InvalidArgsf("args: not JSON: %s", reason(err))
	}
	err := read(value, into)
	if m, ok := err.(*misfit); ok {
		err = InvalidArgsf("args%s", m.Error())
	}
	return args, err
}

// preset calls the Defaults of a new variable and of the structs in it; the outermost has the last word.
func preset(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() || v.Type().Field(i).Anonymous {
				preset(v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			preset(v.Index(i))
		}
	}
	if v.CanSet() && v.Addr().Type().Implements(defaulter) {
		v.Addr().Interface().(Defaulter).Defaults()
	}
}

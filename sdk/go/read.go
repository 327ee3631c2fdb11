package clockbox

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

var (
	fromJSON = reflect.TypeFor[json.Unmarshaler]()
	fromText = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// readsItself is whether a type has its own way of being read.
func readsItself(kind reflect.Type) bool {
	return reflect.PointerTo(kind).Implements(fromJSON) || reflect.PointerTo(kind).Implements(fromText)
}

func fresh(kind reflect.Type) reflect.Value {
	v := reflect.New(kind).Elem()
	preset(v)
	return v
}

func isNull(text json.RawMessage) bool { return string(text) == "null" }

// read puts JSON into a variable, as encoding/json does, but step by step: so that each struct in it has its defaults and its required
// fields, and a refusal says where.
func read(text json.RawMessage, into reflect.Value) error {
	kind := into.Type()
	switch {
	case kind.Kind() == reflect.Pointer:
		if isNull(text) {
			into.SetZero()
			return nil
		}
		if into.IsNil() {
			into.Set(fresh(kind.Elem()).Addr())
		}
		return read(text, into.Elem())
	case readsItself(kind):
		if err := json.Unmarshal(text, into.Addr().Interface()); err != nil {
			return &misfit{what: reason(err)}
		}
		return nil
	}
	switch kind.Kind() {
	case reflect.Struct:
		return readStruct(text, into)
	case reflect.Map:
		return readMap(text, into)
	case reflect.Slice, reflect.Array:
		if kind.Elem().Kind() != reflect.Uint8 || kind.Kind() == reflect.Array || readsItself(kind.Elem()) {
			return readList(text, into)
		}
	}
	if readScalar(string(text), into) {
		return nil
	}
	if isNull(text) && isScalar(kind) {
		return wrong(expected(kind, text), text)
	}
	if err := json.Unmarshal(text, into.Addr().Interface()); err != nil {
		return wrong(expected(kind, text), text)
	}
	return nil
}

// readScalar reads the plain cases of plain types, without what encoding/json needs to begin.
func readScalar(text string, into reflect.Value) bool {
	kind := into.Type()
	switch {
	case into.CanInt():
		n, err := strconv.ParseInt(text, 10, kind.Bits())
		if err == nil {
			into.SetInt(n)
		}
		return err == nil
	case into.CanUint():
		n, err := strconv.ParseUint(text, 10, kind.Bits())
		if err == nil {
			into.SetUint(n)
		}
		return err == nil
	case kind.Kind() == reflect.String && kind != reflect.TypeFor[json.Number]() && text[0] == '"' && !strings.Contains(text, `\`):
		into.SetString(text[1 : len(text)-1])
		return true
	}
	return false
}

func readStruct(text json.RawMessage, into reflect.Value) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil || isNull(text) {
		return wrong("an object", text)
	}
	fields := fieldsOf(into.Type())
	values := make([]json.RawMessage, len(fields))
	var strange []string
	for key, value := range given {
		if at := find(fields, key); at < 0 {
			strange = append(strange, key)
		} else if values[at] != nil {
			return &misfit{"." + fields[at].name, "said twice"}
		} else {
			values[at] = value
		}
	}
	if strange != nil {
		return &misfit{"." + slices.Min(strange), "unknown; known are: " + known(fields)}
	}
	for i, each := range fields {
		if err := readField(each, values[i], into); err != nil {
			return under("."+each.name, err)
		}
	}
	return nil
}

func readField(field field, text json.RawMessage, parent reflect.Value) error {
	leftOut := text == nil || isNull(text)
	if leftOut && field.required {
		return &misfit{what: "missing"}
	}
	if text == nil && len(field.index) > 1 {
		return nil // nor is what it is embedded in called for
	}
	into, err := field.of(parent)
	if err != nil {
		return err
	}
	canBeNull := into.Kind() == reflect.Pointer || into.Kind() == reflect.Map || into.Kind() == reflect.Slice ||
		into.Kind() == reflect.Interface || readsItself(into.Type())
	if text == nil || leftOut && !canBeNull {
		return lacking(into)
	}
	if field.quoted && !isNull(text) {
		inner, ok := unquoted(text)
		if !ok {
			return wrong("a string that holds "+expected(into.Type(), nil), text)
		}
		text = inner
	}
	return read(text, into)
}

// lacking is what a struct that was left out must be told, and that its defaults do not say either.
func lacking(v reflect.Value) error {
	if v.Kind() != reflect.Struct || readsItself(v.Type()) {
		return nil
	}
	for _, each := range fieldsOf(v.Type()) {
		inner, err := v.FieldByIndexErr(each.index)
		if err != nil {
			continue // in an embedded pointer that is nil
		}
		if each.required && inner.IsZero() {
			return &misfit{"." + each.name, "missing"}
		}
		if err := lacking(inner); err != nil {
			return under("."+each.name, err)
		}
	}
	return nil
}

// readPlain is for lists and maps without anything to look after: all at once, which is many times as fast. Where it fails, step by
// step says where.
func readPlain(text json.RawMessage, into reflect.Value) bool {
	item := into.Type().Elem()
	plain := item.Kind() == reflect.Interface || isScalar(item) && item.Kind() != reflect.Pointer && !bytes.Contains(text, []byte("null"))
	if !plain || readsItself(item) || into.Kind() == reflect.Array || !into.IsZero() {
		return false
	}
	all := reflect.New(into.Type())
	if err := json.Unmarshal(text, all.Interface()); err != nil {
		return false
	}
	into.Set(all.Elem())
	return true
}

func readMap(text json.RawMessage, into reflect.Value) error {
	if readPlain(text, into) {
		return nil
	}
	kind := into.Type()
	if isNull(text) {
		into.SetZero()
		return nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return wrong("an object", text)
	}
	if into.IsNil() {
		into.Set(reflect.MakeMap(kind))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		key, err := keyOf(kind.Key(), name)
		if err != nil {
			return &misfit{"." + name, reason(err)}
		}
		value := fresh(kind.Elem())
		if err := read(given[name], value); err != nil {
			return under("."+name, err)
		}
		into.SetMapIndex(key, value)
	}
	return nil
}

func keyOf(kind reflect.Type, name string) (reflect.Value, error) {
	if kind.Kind() == reflect.String && !readsItself(kind) {
		return reflect.ValueOf(name).Convert(kind), nil
	}
	// As encoding/json reads it: out of an object that has it alone.
	alone, err := json.Marshal(map[string]any{name: nil})
	if err != nil {
		return reflect.Value{}, err
	}
	keys := reflect.New(reflect.MapOf(kind, reflect.TypeFor[json.RawMessage]()))
	if err := json.Unmarshal(alone, keys.Interface()); err != nil {
		return reflect.Value{}, fmt.Errorf("the key is not %s", expected(kind, nil))
	}
	return keys.Elem().MapKeys()[0], nil
}

func readList(text json.RawMessage, into reflect.Value) error {
	if readPlain(text, into) {
		return nil
	}
	kind := into.Type()
	if isNull(text) && kind.Kind() == reflect.Slice {
		into.SetZero()
		return nil
	}
	var given []json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil || given == nil {
		return wrong("a list", text)
	}
	items := into
	if kind.Kind() == reflect.Slice {
		items = reflect.MakeSlice(kind, len(given), len(given))
		for i := range given {
			preset(items.Index(i))
		}
	} else if len(given) != kind.Len() {
		return wrong(fmt.Sprintf("a list of %d", kind.Len()), text)
	}
	for i, each := range given {
		if err := read(each, items.Index(i)); err != nil {
			return under(fmt.Sprintf("[%d]", i), err)
		}
	}
	into.Set(items)
	return nil
}

// misfit is where the arguments do not fit, from within outwards, and why.
type misfit struct{ path, what string }

func (m *misfit) Error() string { return m.path + ": " + m.what }

func under(part string, err error) error {
	if m, ok := err.(*misfit); ok {
		m.path = part + m.path
	}
	return err
}

func wrong(expected string, found json.RawMessage) error {
	var shown bytes.Buffer
	if err := json.Compact(&shown, found); err != nil || shown.Len() > 60 {
		shown.Reset()
		shown.WriteString(map[byte]string{'{': "an object", '[': "a list", '"': "a string"}[found[0]])
		if shown.Len() == 0 {
			shown.WriteString("a long number")
		}
	}
	return &misfit{what: fmt.Sprintf("expected %s, found %s", expected, shown.String())}
}

// expected says in words what a type takes; of an integer that is too large for it, how large it may be.
func expected(kind reflect.Type, found json.RawMessage) string {
	isInteger := len(found) > 0 && strings.Trim(strings.TrimPrefix(string(found), "-"), "0123456789") == ""
	switch {
	case kind == reflect.TypeFor[json.Number]():
		return "a number"
	case kind.Kind() >= reflect.Int && kind.Kind() <= reflect.Int64:
		if isInteger {
			return fmt.Sprintf("an integer from %d to %d", int64(-1)<<(kind.Bits()-1), ^(int64(-1) << (kind.Bits() - 1)))
		}
		return "an integer"
	case kind.Kind() >= reflect.Uint && kind.Kind() <= reflect.Uintptr:
		if isInteger {
			return fmt.Sprintf("an integer from 0 to %d", ^uint64(0)>>(64-kind.Bits()))
		}
		return "an integer"
	case kind.Kind() == reflect.Float32 || kind.Kind() == reflect.Float64:
		return "a number"
	case kind.Kind() == reflect.Bool:
		return "true or false"
	case kind.Kind() == reflect.String:
		return "a string"
	case kind.Kind() == reflect.Slice:
		return "a string in base64"
	case kind.Kind() == reflect.Pointer:
		return expected(kind.Elem(), found)
	}
	return "what JSON can tell, which a " + kind.String() + " is not"
}

func reason(err error) string {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

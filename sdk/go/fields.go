package clockbox

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// field is one of a struct as JSON has it, those of embedded structs included.
type field struct {
	name     string
	index    []int
	required bool
	quoted   bool // `json:",string"`
}

var fieldsKnown sync.Map

func fieldsOf(kind reflect.Type) []field {
	if known, ok := fieldsKnown.Load(kind); ok {
		return known.([]field)
	}
	var fields []field
	var closed [][]int // embedded structs with a name: what is in them is not the outer one's
	for _, each := range reflect.VisibleFields(kind) {
		name, options, _ := strings.Cut(each.Tag.Get("json"), ",")
		inClosed := slices.ContainsFunc(closed, func(index []int) bool {
			return len(index) < len(each.Index) && slices.Equal(index, each.Index[:len(index)])
		})
		if inClosed {
			continue
		}
		if each.Anonymous {
			if name == "" && isStruct(each.Type) {
				continue
			}
			closed = append(closed, each.Index)
		}
		if !each.IsExported() || each.Tag.Get("json") == "-" {
			continue
		}
		if name == "" {
			name = each.Name
		}
		one := field{
			name: name, index: each.Index, required: each.Tag.Get("clockbox") == "required",
			quoted: slices.Contains(strings.Split(options, ","), "string") && isScalar(each.Type),
		}
		// The one that is less deep hides the other.
		if at := slices.IndexFunc(fields, func(f field) bool { return f.name == name }); at < 0 {
			fields = append(fields, one)
		} else if len(one.index) < len(fields[at].index) {
			fields[at] = one
		}
	}
	fieldsKnown.Store(kind, fields)
	return fields
}

func isStruct(kind reflect.Type) bool {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Kind() == reflect.Struct && !readsItself(kind)
}

func isScalar(kind reflect.Type) bool {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Kind() >= reflect.Bool && kind.Kind() <= reflect.Float64 || kind.Kind() == reflect.String
}

// of is the field in a struct; embedded pointers on the way get their struct.
func (f field) of(v reflect.Value) (reflect.Value, error) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() && !v.CanSet() {
				return v, Fatalf("bad-args", "%s: an embedded pointer to a struct that is not exported", v.Type())
			} else if v.IsNil() {
				v.Set(fresh(v.Type().Elem()).Addr())
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}

// find is the place of the field that a key means: of this very name, or else in another case, as encoding/json has it.
func find(fields []field, key string) int {
	if at := slices.IndexFunc(fields, func(f field) bool { return f.name == key }); at >= 0 {
		return at
	}
	return slices.IndexFunc(fields, func(f field) bool { return strings.EqualFold(f.name, key) })
}

func known(fields []field) string {
	if len(fields) == 0 {
		return "there are none"
	}
	var names []string
	for _, each := range fields {
		names = append(names, each.name)
	}
	return strings.Join(names, ", ")
}

// unquoted is the JSON inside a string.
func unquoted(text json.RawMessage) (json.RawMessage, bool) {
	var inner string
	if err := json.Unmarshal(text, &inner); err != nil || !json.Valid([]byte(inner)) {
		return nil, false
	}
	return json.RawMessage(strings.TrimSpace(inner)), true
}

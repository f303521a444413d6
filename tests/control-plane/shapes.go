package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	openapi "k8s.io/kube-openapi/pkg/util"
)

// shapes are Go types by the names that the OpenAPI documents give them.
type shapes map[string]typeShape

// typeShape are the fields of a struct, sorted by name. A type that has a form of its own in JSON has only a kind.
type typeShape struct {
	Fields []valueShape `json:"fields,omitzero"`
	Kind   string       `json:"kind"`
}

// valueShape is a field, or the element of a list or map, which has neither a name nor an omission.
type valueShape struct {
	Element *valueShape `json:"element,omitempty"`
	Kind    string      `json:"kind"`
	Name    string      `json:"name,omitempty"`
	// Omit is "empty" for omitempty, "zero" for omitzero (alone or beside the other), or "".
	Omit    *string `json:"omit,omitempty"`
	Pointer bool    `json:"pointer"`
	// Type is the name of a struct or of a custom type.
	Type string `json:"type,omitempty"`
}

// wellKnown are the types that are not written as their Go kind would be.
var wellKnown = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():    "quantity",
	reflect.TypeFor[intstr.IntOrString]():   "int-or-string",
	reflect.TypeFor[meta.Time]():            "time",
	reflect.TypeFor[meta.MicroTime]():       "micro-time",
	reflect.TypeFor[meta.Duration]():        "duration",
	reflect.TypeFor[meta.FieldsV1]():        "fields-v1",
	reflect.TypeFor[runtime.RawExtension](): "raw-extension",
}

// of is the shape of a value of a type. All types in it that have names are entered.
func (s shapes) of(t reflect.Type) (*valueShape, error) {
	if kind, ok := wellKnown[t]; ok {
		s[modelName(t)] = typeShape{Kind: kind}
		return &valueShape{Kind: kind}, nil
	}
	switch kind := t.Kind(); {
	case kind == reflect.Pointer && t.Elem().Kind() != reflect.Pointer:
		shape, err := s.of(t.Elem())
		if err != nil {
			return nil, err
		}
		shape.Pointer = true
		return shape, nil
	case writesItself(t):
		s[modelName(t)] = typeShape{Kind: "custom"}
		return &valueShape{Kind: "custom", Type: modelName(t)}, nil
	case kind >= reflect.Bool && kind <= reflect.Float64 && kind != reflect.Uintptr, kind == reflect.String:
		return &valueShape{Kind: kind.String()}, nil
	case kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return &valueShape{Kind: "bytes"}, nil
	case kind == reflect.Slice:
		element, err := s.of(t.Elem())
		return &valueShape{Kind: "list", Element: element}, err
	case kind == reflect.Map && t.Key().Kind() == reflect.String && !writesItself(t.Key()):
		element, err := s.of(t.Elem())
		return &valueShape{Kind: "map", Element: element}, err
	case kind == reflect.Struct:
		return &valueShape{Kind: "struct", Type: modelName(t)}, s.enter(t)
	}
	return nil, fmt.Errorf("there is no rule for the type %s", t)
}

// enter enters a struct.
func (s shapes) enter(t reflect.Type) error {
	name := modelName(t)
	if _, known := s[name]; known {
		return nil
	}
	// Before its fields: it may contain itself.
	s[name] = typeShape{}
	fields, err := s.fields(t)
	if err != nil {
		return err
	}
	slices.SortFunc(fields, func(a, b valueShape) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(fields); i++ {
		if fields[i-1].Name == fields[i].Name {
			return fmt.Errorf("%s has two fields %q", t, fields[i].Name)
		}
	}
	s[name] = typeShape{Kind: "struct", Fields: fields}
	return nil
}

// fields are those of a struct and of the structs that are inlined into it.
func (s shapes) fields(t reflect.Type) ([]valueShape, error) {
	fields := []valueShape{}
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name, rest, _ := strings.Cut(tag, ",")
		options := strings.Split(rest, ",")
		switch {
		case tag == "-" || !field.IsExported():
			continue
		case name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct:
			inlined, err := s.fields(field.Type)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inlined...)
			continue
		case name == "" || slices.Contains(options, "string"):
			return nil, fmt.Errorf("%s.%s: there is no rule for the tag %q", t, field.Name, tag)
		}
		shape, err := s.of(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, field.Name, err)
		}
		omit := ""
		switch {
		case slices.Contains(options, "omitzero"):
			omit = "zero"
		case slices.Contains(options, "omitempty"):
			omit = "empty"
		}
		shape.Name, shape.Omit = name, &omit
		fields = append(fields, *shape)
	}
	return fields, nil
}

// writesItself tells whether a type decides on its own what it looks like in JSON.
func writesItself(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(reflect.TypeFor[json.Marshaler]()) ||
		pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// modelName is what the OpenAPI documents call a type.
func modelName(t reflect.Type) string {
	if named, ok := reflect.New(t).Interface().(openapi.OpenAPIModelNamer); ok {
		return named.OpenAPIModelName()
	}
	return openapi.ToRESTFriendlyName(t.PkgPath() + "." + t.Name())
}

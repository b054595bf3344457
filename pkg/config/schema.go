package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/handler"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
)

// Schema returns the JSON Schema of the configuration, for editors: keys,
// types, defaults, the words that a key takes, and what each key means. kinds
// are the kinds of sources there are. It is draft 7, the one that every editor
// reads, and made from the same structs that Parse fills. It accepts whatever
// Parse accepts; what depends on more than one value, Parse alone knows.
func Schema(kinds source.Registry) ([]byte, error) {
	docs, err := fieldDocs()
	if err != nil {
		return nil, err
	}
	g := generator{docs: docs}
	out, err := json.MarshalIndent(g.document(kinds), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(out, '\n'), nil
}

// schema is one JSON Schema.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 any                `json:"type,omitempty"` // a name or several
	Const                any                `json:"const,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	Default              any                `json:"default,omitempty"`
	Examples             []any              `json:"examples,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	MaxItems             int                `json:"maxItems,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	PatternProperties    map[string]*schema `json:"patternProperties,omitempty"`
	PropertyNames        *schema            `json:"propertyNames,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // false or a schema
	Required             []string           `json:"required,omitempty"`
}

// section is a type that YAML may leave empty: "charts:" with nothing behind.
func section(kind string) []string { return []string{kind, "null"} }

func (g generator) document(kinds source.Registry) *schema {
	d := defaults()
	root := g.object(reflect.ValueOf(d))
	root.Schema = "http://json-schema.org/draft-07/schema#"
	root.Title = "chartd configuration"
	root.Properties["sources"] = &schema{
		Description:   g.describe(reflect.TypeFor[Config](), "Sources", "sources"),
		Type:          section("object"),
		PropertyNames: &schema{Pattern: namePattern},
		AdditionalProperties: &schema{
			OneOf: append(g.sources(kinds), &schema{Const: false, Description: "Switches the source off."}),
		},
	}
	chart := g.object(reflect.ValueOf(*d.Defaults.chart("")))
	chart.Required = []string{"series"}
	chart.Type = "object"
	root.Properties["charts"] = &schema{
		Description:          g.describe(reflect.TypeFor[Config](), "Charts", "charts"),
		Type:                 section("object"),
		PropertyNames:        &schema{Pattern: namePattern},
		AdditionalProperties: chart,
	}
	root.PatternProperties = map[string]*schema{"^x-": {Description: "Not read: a place for anchors and notes."}}
	return root
}

// sources returns a schema for each kind of source.
func (g generator) sources(kinds source.Registry) []*schema {
	var out []*schema
	for _, kind := range kinds.Kinds() {
		s := g.object(reflect.ValueOf(kinds[kind]()).Elem())
		s.Type, s.Title = "object", kind
		s.Properties["type"] = &schema{Const: kind, Description: "What kind of source it is."}
		s.Required = append(s.Required, "type")
		out = append(out, s)
	}
	return out
}

// words are the types that take one of a few words. open ones take any other
// text as well.
type words struct {
	list []any
	open bool
}

func vocabulary() map[reflect.Type]words {
	return map[reflect.Type]words{
		reflect.TypeFor[plotting.Kind]():      {wordsOf(plotting.Kinds()), false},
		reflect.TypeFor[plotting.Unit]():      {wordsOf(plotting.Units()), true},
		reflect.TypeFor[plotting.Legend]():    {wordsOf([]plotting.Legend{plotting.LegendBottom, plotting.LegendNone}), false},
		reflect.TypeFor[session.Scope]():      {wordsOf(session.Scopes()), false},
		reflect.TypeFor[auth.Algorithm]():     {wordsOf(auth.Algorithms()), false},
		reflect.TypeFor[LogLevel]():           {wordsOf(LogLevels()), false},
		reflect.TypeFor[server.ProxyHeader](): {wordsOf(server.ProxyHeaders()), false},
		reflect.TypeFor[LogFormat]():          {wordsOf(LogFormats()), false},
	}
}

func wordsOf[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// required names the keys that a struct cannot do without.
func required(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[plotting.VarSource]():
		return []string{"metric", "label"}
	case reflect.TypeFor[handler.Row]():
		return []string{"on"}
	case reflect.TypeFor[auth.Token](), reflect.TypeFor[auth.IngestToken]():
		return []string{"name", "token"}
	}
	return nil
}

// oneOfThem names the keys of which a struct needs one at least.
func oneOfThem(t reflect.Type) []*schema {
	if t == reflect.TypeFor[plotting.SeriesSpec]() {
		return []*schema{{Required: []string{"metric"}}, {Required: []string{"transform"}}}
	}
	return nil
}

// describe returns the doc comment of a field in the words of YAML: it begins
// with the key, not with the field's name in Go.
func (g generator) describe(owner reflect.Type, name, key string) string {
	text := g.docs[docKey(owner, name)]
	if rest, ok := strings.CutPrefix(text, name+" "); ok {
		return key + " " + rest
	}
	return text
}

func docKey(owner reflect.Type, name string) string {
	return owner.PkgPath() + "." + owner.Name() + "." + name
}

package otlp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"github.com/chartd/chartd/pkg/store"
)

// scopePrefix stands before what is said of a scope, as Prometheus has it.
const scopePrefix = "otel_scope_"

// resourceLabels returns the attributes of a resource that become labels.
func (c *Config) resourceLabels(r *resource.Resource) (out store.Labels) {
	for _, a := range r.GetAttributes() {
		if c.PromoteAllResourceAttributes || slices.Contains(c.PromoteResourceAttributes, a.GetKey()) {
			out = appendLabel(out, "", a)
		}
	}
	return out
}

// scopeLabels returns the labels that say what made a measurement.
func (c *Config) scopeLabels(s *common.InstrumentationScope) (out store.Labels) {
	if !c.PromoteScopeMetadata {
		return nil
	}
	for _, a := range s.GetAttributes() {
		out = appendLabel(out, scopePrefix, a)
	}
	return append(out, store.Label{Name: scopePrefix + "name", Value: s.GetName()}, store.Label{Name: scopePrefix + "version", Value: s.GetVersion()})
}

func appendLabel(ls store.Labels, prefix string, a *common.KeyValue) store.Labels {
	return append(ls, store.Label{Name: prefix + a.GetKey(), Value: text(a.GetValue())})
}

// settle sorts labels; of two with one name it keeps the last. It changes ls.
func settle(ls store.Labels) store.Labels {
	slices.SortStableFunc(ls, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
	kept := ls[:0]
	for i, l := range ls {
		if l.Value != "" && (i+1 == len(ls) || ls[i+1].Name != l.Name) {
			kept = append(kept, l)
		}
	}
	return kept
}

// text returns the value of an attribute as a label has it.
func text(v *common.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *common.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case *common.AnyValue_BytesValue:
		return base64.StdEncoding.EncodeToString(v.BytesValue)
	case *common.AnyValue_ArrayValue, *common.AnyValue_KvlistValue:
		b, err := json.Marshal(plain(v))
		if err != nil { // JSON has no infinite number
			return fmt.Sprint(plain(v))
		}
		return string(b)
	}
	return ""
}

// plain returns a value as encoding/json writes it. It is what the generated
// types hold, whose interface has no name outside of their package.
func plain(v any) any {
	switch v := v.(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BytesValue:
		return v.BytesValue
	case *common.AnyValue_ArrayValue:
		out := []any{}
		for _, one := range v.ArrayValue.GetValues() {
			out = append(out, plain(one.GetValue()))
		}
		return out
	case *common.AnyValue_KvlistValue:
		out := map[string]any{}
		for _, one := range v.KvlistValue.GetValues() {
			out[one.GetKey()] = plain(one.GetValue().GetValue())
		}
		return out
	}
	return nil
}

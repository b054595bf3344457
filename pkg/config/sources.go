package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
)

// receivers returns the kinds of sources that are there, under the name of
// their kind, even when the file is silent about them: they cost nothing until
// somebody sends.
func receivers() []string { return []string{"push", "influx", "remote_write", "otlp"} }

// readSources decodes the `sources:` section. Each source is read by the
// struct that kinds gives for its type.
func readSources(doc *strictyaml.Document, section strictyaml.Node, kinds source.Registry, cfg *Config) {
	given := map[string]bool{}       // names and types that the file mentions
	receiving := map[string]string{} // the source of each kind of receiver
	for _, e := range doc.Entries(section, "a mapping of names to sources") {
		given[e.Key] = true
		path := e.Value.Path()
		if !checkName(doc, e, "source") {
			continue
		}
		if doc.IsFalse(e.Value) {
			continue
		}
		kind := readType(doc, e.Value, kinds)
		given[kind] = true
		if doc.Bad(path + ".type") {
			continue
		}
		one, err := kinds.New(kind)
		if err != nil {
			doc.Report(path+".type", fmt.Sprintf("no source of type %q", kind), problem.OneOf(kind, kinds.Kinds()))
			continue
		}
		if first, taken := receiving[kind]; taken {
			doc.Report(path+".type", fmt.Sprintf("%s receives what is sent to %s already", first, kind), "one source of this type")
			continue
		}
		if slices.Contains(receivers(), kind) {
			receiving[kind] = e.Key
		}
		doc.DecodeNode(e.Value, one, "type")
		doc.Check(path, one)
		cfg.Sources[e.Key] = one
	}
	for _, kind := range receivers() {
		if given[kind] {
			continue
		}
		if one, err := kinds.New(kind); err == nil {
			cfg.Sources[kind] = one
		}
	}
}

// readType returns the `type` of a source.
func readType(doc *strictyaml.Document, n strictyaml.Node, kinds source.Registry) string {
	var kind string
	for _, e := range doc.Entries(n, "a mapping with the key type") {
		if e.Key == "type" {
			doc.DecodeNode(e.Value, &kind)
			return kind
		}
	}
	if !doc.Bad(n.Path()) {
		doc.Report(n.Path()+".type", "is missing", "one of: "+strings.Join(kinds.Kinds(), ", "))
	}
	return ""
}

package wire

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// names returns what stands in backquotes in a cell, the outer ones of which
// rows has taken.
func names(cell string) (out []string) {
	for i, part := range strings.Split("`"+cell+"`", "`") {
		if i%2 == 1 && part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Every field that a message can have is in the table of messages, and no other.
func TestTheTablesOfMessagesNameEveryField(t *testing.T) {
	change := plotting.Change{Reset: true}
	pos := Pos{E: "e", R: 1}
	handled := true
	for name, m := range map[string]interface{ AppendJSON([]byte) []byte }{
		"hello":    Hello{Session: "s", Token: "t"},
		"sub":      Sub{ID: "1", Chart: "c", View: change, Events: true, Pos: pos},
		"unsub":    Unsub{ID: "1", V: "v"},
		"set":      Set{ID: "1", V: "v", View: change},
		"callback": Callback{ID: "1", V: "v", Arg: []byte("1")},
		"resync":   Resync{V: "v"},
		"auth":     Auth{ID: "1", Token: "t"},
		"ping":     Ping{ID: "1"},
		"welcome":  Welcome{Session: "s", Resumed: true, Server: "x"},
		"ok":       OK{ID: "1", V: "v", View: &change, Handled: &handled, Reply: []byte("1")},
		"error":    Failure{ID: "1", V: "v", Err: &Error{Code: CodeBusy, Field: "f", Message: "m"}},
		"full":     Full{V: "v", Pos: pos, SVG: "<svg/>"},
		"patch":    Patch{V: "v", Pos: pos, Base: 1, Ops: []plotting.Op{}},
		"event":    Event{V: "v", Name: AfterCallback, Cause: CauseClient, ID: "1", Arg: []byte("1"), Error: "e", Elapsed: time.Second},
	} {
		var fields map[string]any
		if err := json.Unmarshal(m.AppendJSON(nil), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "t")
		table := rows(t, "`"+name+"`")
		if len(table) != 1 {
			t.Errorf("%d rows for %s", len(table), name)
			continue
		}
		documented := names(table[0][1])
		if len(documented) != len(fields) {
			t.Errorf("%s has the fields %v, the document %v", name, fields, documented)
		}
		for _, field := range documented {
			if _, there := fields[field]; !there {
				t.Errorf("%s has no field %q", name, field)
			}
		}
	}
}

// Every field that a change can have is in the table of views, and no other.
func TestTheTableOfViewsNamesEveryField(t *testing.T) {
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Views\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `") && len(cells) > 1 {
			got = append(got, names(strings.Trim(cells[1], " `"))...)
		}
	}
	for field := range reflect.TypeFor[plotting.Change]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		want = append(want, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the document has %q, the code %q", got, want)
	}
}

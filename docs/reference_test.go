package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source/builtin"
)

// schema is what the reference needs of the configuration's JSON Schema.
type schema struct {
	Title       string
	Description string
	Const       any
	Enum        []any
	Default     any
	AnyOf       []*schema
	OneOf       []*schema
	Items       *schema
	Properties  map[string]*schema
	Required    []string
	// Rest is additionalProperties: false, or the schema of what has a free name.
	Rest json.RawMessage `json:"additionalProperties"`
}

func (s *schema) rest(t *testing.T) *schema {
	t.Helper()
	var r schema
	if err := json.Unmarshal(s.Rest, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestReference holds README's reference of the configuration to the schema, which is made from the structs that are filled. With -update it writes it.
func TestReference(t *testing.T) {
	data, err := config.Schema(builtin.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	section(t, "reference", reference(t, &root))
}

func reference(t *testing.T, root *schema) string {
	var b strings.Builder
	sections := []string{"sources", "defaults", "charts", "store", "session", "server", "auth", "log"}
	top := map[string]*schema{}
	for name, s := range root.Properties {
		if !slices.Contains(sections, name) {
			top[name] = s
		}
	}
	b.WriteString("### Top level\n\n")
	table(&b, &schema{Properties: top})
	for _, name := range sections {
		s := root.Properties[name]
		if s == nil {
			t.Fatalf("the schema has no %s", name)
		}
		fmt.Fprintf(&b, "### `%s`\n\n%s\n\n", name, sentence(name, s.Description))
		switch name {
		case "sources":
			for _, kind := range s.rest(t).OneOf {
				if len(kind.Properties) == 0 {
					continue
				}
				fmt.Fprintf(&b, "#### `type: %s`\n\n", kind.Title)
				table(&b, kind)
			}
		case "charts":
			table(&b, s.rest(t))
		default:
			table(&b, s)
		}
	}
	return strings.TrimSpace(b.String())
}

// table writes a row for each key of an object, those of its objects and lists included.
func table(b *strings.Builder, s *schema) {
	b.WriteString("| key | default | meaning |\n| --- | --- | --- |\n")
	rows(b, "", s)
	b.WriteString("\n")
}

func rows(b *strings.Builder, prefix string, s *schema) {
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[key]
		path := prefix + key
		value := ""
		switch {
		case p.Const != nil:
			value = "always " + code(p.Const)
		case p.Default != nil && p.Default != "" && !isEmpty(p.Default):
			value = code(p.Default)
		}
		if slices.Contains(s.Required, key) && p.Const == nil {
			value = "required"
		}
		meaning := sentence(key, p.Description)
		if words := p.words(); len(words) > 0 && !says(meaning, words) {
			meaning += " One of " + strings.Join(words, ", ") + "."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, value, strings.ReplaceAll(meaning, "|", "\\|"))
		if len(p.Properties) > 0 {
			rows(b, path+".", p)
		}
		if p.Items != nil && len(p.Items.Properties) > 0 {
			rows(b, path+"[].", p.Items)
		}
		// A mapping of names of one's own; a value may have a short form.
		var rest schema
		if json.Unmarshal(p.Rest, &rest) == nil {
			for _, form := range append([]*schema{&rest}, rest.AnyOf...) {
				rows(b, path+".NAME.", form)
			}
		}
	}
}

// words returns what a key takes, if those are a few words.
func (s *schema) words() []string {
	var out []string
	for _, one := range append([]*schema{s}, s.AnyOf...) {
		for _, w := range one.Enum {
			out = append(out, code(w))
		}
	}
	return out
}

// says reports whether a text names all these words already.
func says(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, strings.Trim(w, "`")) {
			return false
		}
	}
	return true
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func code(v any) string {
	if s, ok := v.(string); ok {
		return "`" + s + "`"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("`%v`", v)
	}
	return "`" + string(b) + "`"
}

// sentence turns a field's comment into a table's text: "window is how much time…" becomes "How much time…".
func sentence(key, text string) string {
	for _, lead := range []string{key + " is ", key + " are ", key + " "} {
		if rest, ok := strings.CutPrefix(text, lead); ok {
			text = rest
			break
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// section holds what stands between two markers of README to want, or writes it with -update.
func section(t *testing.T, name, want string) {
	t.Helper()
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	text := read(t, readme)
	head, rest, ok := strings.Cut(text, begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README has no section between %q and %q", begin, end)
	}
	want = "\n" + want + "\n\n"
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have := strings.Split(got, "\n")
	for line := range strings.SplitSeq(want, "\n") {
		if !slices.Contains(have, line) {
			t.Errorf("README's %s lacks: %s", name, line)
		}
	}
	t.Errorf("README's %s is not what the code says; run: go test ./docs -update", name)
}

package wire_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// setting returns the default of a setting as the document writes it.
func setting(name string) string {
	section, key, _ := strings.Cut(name, ".")
	var cfg reflect.Value
	switch section {
	case "session":
		cfg = reflect.ValueOf(session.DefaultConfig())
	case "server":
		cfg = reflect.ValueOf(server.DefaultConfig())
	default:
		return "no section " + section
	}
	for field, v := range cfg.Fields() {
		if field.Tag.Get("yaml") == key {
			return amount(v.Interface())
		}
	}
	return "no setting " + name
}

func amount(v any) string {
	s := fmt.Sprint(v)
	switch v.(type) {
	case quantity.Duration: // 10s → 10 s
		return regexp.MustCompile(`^([0-9]+)([a-z]+)$`).ReplaceAllString(strings.Replace(s, "m", " min", 1), "$1 $2")
	case quantity.Bytes:
		return regexp.MustCompile(`^([0-9]+)([A-Z])`).ReplaceAllString(s, "$1 $2")
	}
	return s
}

// The limits in the document are those of the code.
func TestTheLimitsOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	found := regexp.MustCompile("([0-9]+(?: (?:KiB|MiB|s|min))?)(?: a (?:second|minute))?(?:, [0-9]+ at once)? (?:after its connection ended )?\\(`((?:session|server)\\.[a-z_]+)`\\)").FindAllStringSubmatch(doc, -1)
	for _, m := range found {
		if want := setting(m[2]); m[1] != want {
			t.Errorf("the document says %s is %s; it is %s", m[2], m[1], want)
		}
	}
	if named := len(regexp.MustCompile("\\(`(session|server)\\.").FindAllString(doc, -1)); len(found) != named || named < 9 {
		t.Errorf("of %d settings only %d are found", named, len(found))
	}
	lim := wire.DefaultLimits()
	for _, want := range []string{
		fmt.Sprintf("| messages in an array | 1 to %d |", lim.Messages),
		fmt.Sprintf("| nesting of arrays and objects | %d,", lim.Depth),
		fmt.Sprintf("| a message | %d KiB ", lim.Bytes>>10),
		fmt.Sprintf("| `id` | %d characters |", wire.MaxID),
		fmt.Sprintf("| `chart`, `v`, `session`, `e` | %d bytes |", wire.MaxName),
		fmt.Sprintf("| `token` | %d bytes |", wire.MaxToken),
		fmt.Sprintf("it keeps the last %d", wire.Keep),
		fmt.Sprintf("for %d s after its last viewer", session.DefaultConfig().Linger.Millis()/1000),
		fmt.Sprintf("each a whole number, %d to %d |", plotting.MinSide, plotting.MaxSide),
		fmt.Sprintf("1 s to %v;", strings.Replace(plotting.MaxWindow.String(), "d", " d", 1)),
		fmt.Sprintf("at least %d ms;", plotting.MinRefresh.Millis()),
		fmt.Sprintf("as in the legend; at most %d |", plotting.MaxHidden),
		fmt.Sprintf("annotations; at most %d |", plotting.MaxMarks),
		fmt.Sprintf("from above. At most %d |", plotting.MaxThresholds),
		fmt.Sprintf("`speed` times as fast as it was, 0 to %d;", plotting.MaxSpeed),
		fmt.Sprintf("before the year %d;", time.UnixMilli(plotting.MaxTime).UTC().Year()+1),
		fmt.Sprintf("any JSON of %d KiB at most", session.MaxReply>>10),
		fmt.Sprintf("Texts are at most %d bytes", plotting.MaxText),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("the document does not say %q", want)
		}
	}
}

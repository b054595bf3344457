package wire

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of a document.
type block struct {
	kind  string // what stands behind the fence
	line  int
	lines []string
}

func blocks(t *testing.T, file string) (out []block) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	for i, line := range strings.Split(string(text), "\n") {
		fence, ok := strings.CutPrefix(line, "```")
		switch {
		case ok && open == nil:
			open = &block{kind: fence, line: i + 1}
		case ok:
			out = append(out, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
	return out
}

// checkClient fails if a line is no message that a server takes.
func checkClient(t *testing.T, line string) {
	t.Helper()
	ms, err := ParseClient([]byte(line), DefaultLimits())
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	for _, m := range ms {
		if bad, ok := m.(Invalid); ok {
			t.Errorf("%s: %v", line, bad.Err)
		}
	}
	// The document writes messages as chartd's own clients do.
	var parts []*Message
	for _, m := range ms {
		parts = append(parts, Encode(m))
	}
	if got := string(Join(parts...).JSON()); got != line {
		t.Errorf("written as\n%s, the document has\n%s", got, line)
	}
}

// checkServer returns a line's messages, and fails if the line is not what the
// server would write.
func checkServer(t *testing.T, line string) []ServerMessage {
	t.Helper()
	ms, err := ParseServer([]byte(line))
	if err != nil || len(ms) == 0 {
		t.Errorf("%s: %d messages, %v", line, len(ms), err)
		return nil
	}
	var parts []*Message
	for _, m := range ms {
		parts = append(parts, Encode(m))
	}
	if got := string(Join(parts...).JSON()); got != line {
		t.Errorf("the server writes\n%s, the document has\n%s", got, line)
	}
	return ms
}

func TestTheExamplesOfTheDocument(t *testing.T) {
	seen := map[string]int{}
	for _, b := range blocks(t, "PROTOCOL.md") {
		seen[b.kind]++
		for i, line := range b.lines {
			t.Run(fmt.Sprintf("line %d", b.line+i+1), func(t *testing.T) {
				switch b.kind {
				case "json client":
					checkClient(t, line)
				case "json server":
					checkServer(t, line)
				case "text session", "svg":
				default:
					t.Errorf("a block of %q is not tested", b.kind)
				}
			})
		}
	}
	if seen["json client"] < 6 || seen["json server"] < 6 || seen["text session"] != 2 || seen["svg"] != 1 {
		t.Errorf("the document has %v", seen)
	}
}

// The session that the document walks through is one that a client can follow:
// every request is answered, and the picture at the end is the one shown.
func TestTheSessionOfTheDocument(t *testing.T) {
	mirrors := map[string]*Mirror{}
	waiting := map[ID]bool{}
	last, end := "", ""
	for _, b := range blocks(t, "PROTOCOL.md") {
		if b.kind == "svg" {
			end = strings.Join(b.lines, "\n")
		}
		if b.kind != "text session" {
			continue
		}
		for _, line := range b.lines {
			if text, ok := strings.CutPrefix(line, "> "); ok {
				checkClient(t, text)
				ms, _ := ParseClient([]byte(text), DefaultLimits())
				for _, m := range ms {
					if m.RequestID() != "" {
						waiting[m.RequestID()] = true
					}
				}
				continue
			}
			for _, m := range checkServer(t, strings.TrimPrefix(line, "< ")) {
				switch m := m.(type) {
				case OK:
					if !waiting[m.ID] {
						t.Errorf("nobody asked for %s", line)
					}
					delete(waiting, m.ID)
					if mirrors[m.V] == nil {
						mirrors[m.V] = NewMirror(m.V)
					}
				case Failure:
					delete(waiting, m.ID)
				case Full:
					last = m.V
				}
				for _, mirror := range mirrors {
					if resync, err := mirror.Take(m); resync || err != nil {
						t.Errorf("%s: %v", line, err)
					}
				}
			}
		}
	}
	if len(waiting) > 0 {
		t.Errorf("no answer to %v", waiting)
	}
	if got := string(mirrors[last].SVG()); got != end {
		t.Errorf("the session ends with\n%s\nthe document shows\n%s", got, end)
	}
}

// rows returns the cells of the document's tables whose first cell fits.
func rows(t *testing.T, first string) (out [][]string) {
	t.Helper()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(`^\| ` + first + ` \|`)
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if !re.MatchString(line) {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		out = append(out, cells)
	}
	return out
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func TestTheTablesOfCodesAreComplete(t *testing.T) {
	var got, want [][]string
	for _, r := range rows(t, "`[a-z_]+` \\| (yes|no)") {
		got = append(got, r[:2])
	}
	for _, c := range ErrorCodes() {
		want = append(want, []string{string(c), yes(c.Temporary())})
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the document has the errors\n%v\nthe code has\n%v", got, want)
	}
	got, want = nil, nil
	for _, r := range rows(t, "4[0-9]{3}") {
		got = append(got, r[:3])
	}
	for _, c := range CloseCodes() {
		want = append(want, []string{fmt.Sprint(uint16(c)), c.String(), yes(c.Retry())})
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the document has the close codes\n%v\nthe code has\n%v", got, want)
	}
}

func TestTheTablesOfMessagesAreComplete(t *testing.T) {
	var got []string
	for _, r := range rows(t, "`(hello|sub|unsub|set|callback|resync|auth|ping)`") {
		got = append(got, r[0])
	}
	if !slices.Equal(got, types[:]) {
		t.Errorf("the document has %q, the code %q", got, types)
	}
	got = nil
	for _, r := range rows(t, "`(welcome|ok|error|full|patch|event)`") {
		got = append(got, r[0])
	}
	if want := []string{"welcome", "ok", "error", "full", "patch", "event"}; !slices.Equal(got, want) {
		t.Errorf("the document has %q, want %q", got, want)
	}
}

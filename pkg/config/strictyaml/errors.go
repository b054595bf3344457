package strictyaml

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxErrors is how many errors are kept; the rest are only counted. A file
// with more is not a configuration, and nobody reads on.
const maxErrors = 200

// Error is one mistake in a file.
type Error struct {
	// File is the name that Parse was given, or Set for a value laid over.
	File string
	// Line and Column begin at 1; a column is a character, not a byte. Both are
	// 0 in a value that was laid over the file.
	Line, Column int
	// Path leads from the top of the document to the value, as
	// "charts.cpu.series[0].metric"; empty for the document itself.
	Path string
	// What is wrong, and Want, which may be empty: what would be right.
	What, Want string
}

// Error returns "file:line:column: path: what is wrong; what would be right",
// without a place if there is none.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Path != "" && (e.Line > 0 || !strings.HasSuffix(e.File, " "+e.Path)) {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.What)
	if e.Want != "" {
		b.WriteString("; ")
		b.WriteString(e.Want)
	}
	return b.String()
}

// Errors is every mistake of a file in the order of its lines. It is never
// empty where it is returned as an error.
type Errors struct {
	// List holds the mistakes.
	List []*Error
	// More counts those beyond the 200 that List holds at most.
	More int
}

// Error returns one line for each mistake, without a newline at the end.
func (e *Errors) Error() string {
	lines := make([]string, 0, len(e.List)+1)
	for _, one := range e.List {
		lines = append(lines, one.Error())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", e.List[0].File, e.More))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the mistakes, for [errors.As] and [errors.AsType].
func (e *Errors) Unwrap() []error {
	out := make([]error, len(e.List))
	for i, one := range e.List {
		out[i] = one
	}
	return out
}

// collector gathers the errors of a document. The same mistake at the same
// place is kept once: an anchor that is used twice is wrong once.
type collector struct {
	file string
	list []*Error
	more int
	seen map[seenKey]bool
	laid []string // the names of the values laid over
}

// overlay returns the position of a value that is laid over the document.
func (c *collector) overlay(name string) position {
	c.laid = append(c.laid, name)
	return position{-len(c.laid), 1}
}

type seenKey struct {
	line, column int
	what         string
}

func (c *collector) add(at position, path, what, want string) {
	path, what, want = printable(path), printable(what), printable(want)
	key := seenKey{at.line, at.column, what}
	if c.seen[key] {
		return
	}
	if len(c.list) == maxErrors {
		c.more++
		return
	}
	if c.seen == nil {
		c.seen = map[seenKey]bool{}
	}
	c.seen[key] = true
	c.list = append(c.list, &Error{c.file, at.line, at.column, path, what, want})
}

func (c *collector) err() error {
	if len(c.list) == 0 {
		return nil
	}
	list := make([]*Error, len(c.list))
	for i, e := range c.list {
		list[i] = new(*e)
		if e.Line < 0 {
			list[i].Line = math.MaxInt32 - e.Line // behind those of the file
		}
	}
	slices.SortStableFunc(list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.What, b.What))
	})
	for _, e := range list {
		if n := e.Line - math.MaxInt32; n > 0 {
			e.File, e.Line, e.Column = c.laid[n-1], 0, 0
		}
	}
	return &Errors{List: list, More: c.more}
}

// printable returns s without what would end a line or move a terminal's
// cursor: a message may repeat text of the file through somebody else's error.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

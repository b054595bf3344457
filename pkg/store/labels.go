package store

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of names, in bytes, and of labels in a series.
const (
	MaxMetricName = 256
	MaxLabelName  = 128
	MaxLabelValue = 1024
	MaxLabels     = 32
	// MaxNames bounds all names and values of a series together.
	MaxNames = 4096
)

// Label is a name and a value that tell a series from others of its metric.
type Label struct {
	Name  string
	Value string
}

// Labels is a set of labels, sorted by name, without empty values. It is never
// changed once it is shared.
type Labels []Label

// LabelsOf returns the labels of a map. Empty values are left out.
func LabelsOf(m map[string]string) Labels {
	ls := make(Labels, 0, len(m))
	for name, value := range m {
		if value != "" {
			ls = append(ls, Label{name, value})
		}
	}
	slices.SortFunc(ls, byName)
	return ls
}

// Get returns the value of a label, "" if there is none.
func (ls Labels) Get(name string) string {
	for i := range ls {
		if ls[i].Name == name {
			return ls[i].Value
		}
	}
	return ""
}

// String returns the labels as Prometheus writes them: {a="b", c="d"}.
func (ls Labels) String() string {
	b := []byte{'{'}
	for i, l := range ls {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, l.Name...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, l.Value)
	}
	return string(append(b, '}'))
}

// Compare orders sets of labels: by the first label in which they differ, its
// name first, then its value. It is 0 if they are equal.
func (ls Labels) Compare(other Labels) int {
	return slices.CompareFunc(ls, other, func(a, b Label) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}

// same reports whether ls and other are the same memory, which costs less to know.
func (ls Labels) same(other Labels) bool {
	return len(ls) == len(other) && (len(ls) == 0 || &ls[0] == &other[0])
}

// appendKey appends the labels to b as a series' key has them, see Series.key.
func (ls Labels) appendKey(b []byte) []byte {
	for i := range ls {
		b = append(append(append(append(b, ls[i].Name...), 0), ls[i].Value...), 0)
	}
	return b
}

// checkNames returns a *NameError if metric and labels cannot name a series.
func checkNames(metric string, ls Labels) error {
	if err := checkText("metric", "", metric, MaxMetricName); err != nil {
		return err
	}
	if len(ls) > MaxLabels {
		return &NameError{"labels", fmt.Sprintf("%d labels; at most %d", len(ls), MaxLabels)}
	}
	total := len(metric)
	for i, l := range ls {
		total += len(l.Name) + len(l.Value)
		if err := checkText("labels", "a label's name ", l.Name, MaxLabelName); err != nil {
			return err
		}
		if err := checkText("labels."+l.Name, "", l.Value, MaxLabelValue); err != nil {
			return err
		}
		if i > 0 && ls[i-1].Name >= l.Name {
			if ls[i-1].Name == l.Name {
				return &NameError{"labels." + l.Name, "is given twice"}
			}
			return &NameError{"labels", "are not sorted by name; make them with LabelsOf"}
		}
	}
	if total > MaxNames {
		return &NameError{"labels", fmt.Sprintf("the names and values of the series are %d bytes; at most %d", total, MaxNames)}
	}
	return nil
}

func checkText(field, subject, s string, limit int) error {
	bad := func(format string, args ...any) error {
		return &NameError{field, subject + fmt.Sprintf(format, args...)}
	}
	switch {
	case s == "":
		return bad("is empty; want 1 to %d bytes of text", limit)
	case len(s) > limit:
		return bad("is %d bytes long; at most %d", len(s), limit)
	case !utf8.ValidString(s):
		return bad("is not valid UTF-8: %q", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return bad("has a control character: %q", s)
	}
	return nil
}

func byName(a, b Label) int { return strings.Compare(a.Name, b.Name) }

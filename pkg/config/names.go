package config

import (
	"fmt"
	"strings"

	"github.com/chartd/chartd/pkg/config/strictyaml"
)

// maxName is how long the name of a chart or a source may be, in bytes.
const maxName = 64

// namePattern is what a name looks like; checkName and the schema hold it.
const namePattern = `^[a-z0-9_-]{1,64}$`

// checkName reports whether the key of e can name a chart or a source, and
// says what is wrong with it if not.
func checkName(doc *strictyaml.Document, e strictyaml.Entry, what string) bool {
	if slug := slugOf(e.Key); slug != e.Key || e.Key == "" {
		want := fmt.Sprintf("a name is made of a-z, 0-9, _ and -, at most %d", maxName)
		if slug != "" {
			want += fmt.Sprintf(", such as %q", slug)
		}
		doc.Report(e.Value.Path(), fmt.Sprintf("%.80q cannot name a %s", e.Key, what), want)
		return false
	}
	return true
}

// slugOf returns the name that s was probably meant to be, or "".
func slugOf(s string) string {
	if len(s) > maxName {
		return ""
	}
	bad := false
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r == ' ' || r == '.' || r == '/':
			return '-'
		default:
			bad = true
			return r
		}
	}, s)
	if bad {
		return ""
	}
	return slug
}

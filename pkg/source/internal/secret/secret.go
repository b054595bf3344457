// Package secret holds texts that a source must use and nobody may see:
// passwords, tokens, the values of headers.
package secret

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// shown stands where a secret was.
const shown = "[secret]"

// Text is a secret. However it is printed, logged or encoded, it says only
// whether there is one.
type Text string

// Reveal returns the secret itself, for whoever it is meant for.
func (t Text) Reveal() string { return string(t) }

// String returns "[secret]", or "" if there is none.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return shown
}

// Format implements fmt.Formatter: no verb shows the secret.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// Concealed marks the type for whoever reads it from a file: what is wrong with
// such a value is said without repeating it.
func (Text) Concealed() {}

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Scrub returns text, which somebody else wrote, without the secrets that it
// repeats, as they are or escaped for a URL. A peer may send back what it was
// sent, and an error may quote it.
func Scrub(text string, secrets ...string) string {
	var all []string
	for _, s := range secrets {
		if s != "" {
			all = append(all, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	// The longest first, so that no rest of it is left behind.
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	pairs := make([]string, 0, 2*len(all))
	for _, s := range slices.Compact(all) {
		pairs = append(pairs, s, shown)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

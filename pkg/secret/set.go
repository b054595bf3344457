package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	// short is how long a text, in bytes, is none that can be looked for: "1" is
	// no secret, and to hide it would garble whatever has a 1 in it.
	short = 2
	// begun is how much of the beginning of a secret, in bytes, gives it away where
	// a text was cut.
	begun = 4
)

// Set is secrets that the texts of others may repeat. The zero Set has none. It
// is immutable.
type Set struct {
	forms []string // what to look for; the longest first, so that no rest of one is left behind
}

// NewSet returns a set of secrets: of each as it is, as it is escaped in a URL, in
// JSON and between quotes, and in base64. Of "Bearer x", which a header may say,
// x is one, too.
func NewSet(secrets ...string) Set {
	var all []string
	add := func(s string) {
		quoted, _ := json.Marshal(s)
		plain := strings.ToValidUTF8(s, "")
		for _, form := range []string{
			s, plain, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`), unquoted(strconv.Quote(s)), unquoted(strconv.QuoteToASCII(s)),
			base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
		} {
			if len(form) > short {
				all = append(all, form)
			}
		}
	}
	for _, s := range secrets {
		if len(s) <= short {
			continue
		}
		add(s)
		if word, rest, ok := strings.Cut(s, " "); ok && word != "" && len(rest) > short {
			add(rest)
		}
	}
	return newSet(all)
}

// And returns a set that has these secrets as well.
func (s Set) And(secrets ...string) Set {
	return newSet(slices.Concat(s.forms, NewSet(secrets...).forms))
}

func newSet(forms []string) Set {
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	return Set{slices.Compact(forms)}
}

// unquoted returns a text without the quotes around it.
func unquoted(s string) string { return s[1 : len(s)-1] }

// Empty reports whether there is nothing to hide.
func (s Set) Empty() bool { return len(s.forms) == 0 }

// Scrub returns text, which somebody else wrote, with "[secret]" wherever it
// repeats a secret. Of one that was cut short, the beginning is taken out.
func (s Set) Scrub(text string) string {
	var out strings.Builder
	kept := 0
	for i := 0; i < len(text); {
		n := s.at(text[i:])
		if n == 0 {
			i++
			continue
		}
		out.WriteString(text[kept:i])
		out.WriteString(shown)
		i += n
		kept = i
	}
	if kept == 0 {
		return text
	}
	out.WriteString(text[kept:])
	return out.String()
}

// at returns how many bytes of a secret text begins with.
func (s Set) at(text string) int {
	most := 0
	for _, form := range s.forms {
		if form[0] != text[0] {
			continue
		}
		n := common(text, form)
		if n == len(form) {
			return max(n, most)
		}
		if n >= begun && cut(text[n:]) {
			most = max(most, n)
		}
	}
	return most
}

// common returns how many bytes at the beginning of a and b are the same.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// cut reports whether what follows is what follows a text that was cut short.
func cut(rest string) bool {
	return rest == "" || rest[0] == '"' || rest[0] == '\'' || strings.HasPrefix(rest, "…") || strings.HasPrefix(rest, "...")
}

// In returns the secrets that settings hold: every Text and URL in them.
func In(settings ...any) Set {
	var all []string
	for _, v := range settings {
		collect(reflect.ValueOf(v), &all, maxDepth)
	}
	return NewSet(all...)
}

// maxDepth is how deep settings are nested at most; a value that leads back to
// itself ends there.
const maxDepth = 16

// collect appends the secrets of v.
func collect(v reflect.Value, all *[]string, depth int) {
	if depth == 0 {
		return
	}
	depth--
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), all, depth)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collect(v.Index(i), all, depth)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collect(v.MapIndex(key), all, depth)
		}
	case reflect.Struct:
		collectFields(v, all, depth)
	case reflect.String:
		u, err := url.Parse(v.String())
		switch v.Type() {
		case reflect.TypeFor[Text]():
			*all = append(*all, v.String())
			if err == nil && u.User != nil { // such as the DSN of a database
				if password, ok := u.User.Password(); ok {
					*all = append(*all, password)
				}
			}
		case reflect.TypeFor[URL]():
			if err == nil {
				*all = append(*all, inURL(u)...)
			}
		}
	}
}

// collectFields appends the secrets of a struct, and what a name and a password
// beside each other make in a header.
func collectFields(v reflect.Value, all *[]string, depth int) {
	var names, passwords []string
	for i := range v.NumField() {
		f := v.Field(i)
		collect(f, all, depth)
		if f.Kind() != reflect.String {
			continue
		}
		switch f.Type() {
		case reflect.TypeFor[Text]():
			passwords = append(passwords, f.String())
		case reflect.TypeFor[string]():
			names = append(names, f.String())
		}
	}
	for _, name := range names {
		for _, password := range passwords {
			if name != "" && password != "" {
				*all = append(*all, basic(name, password))
			}
		}
	}
}

// basic is how a name and a password travel in a header.
func basic(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(name + ":" + password))
}

package secret

import (
	"cmp"
	"encoding/base64"
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

// NewSet returns a set of secrets, each as it is and in base64. Of "Bearer x",
// which a header may say, x is one, too.
func NewSet(secrets ...string) Set {
	var all []string
	add := func(s string) {
		if len(s) > short {
			all = append(all, s, base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
		}
	}
	for _, s := range secrets {
		add(s)
		if word, rest, ok := strings.Cut(s, " "); ok && word != "" {
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

// Empty reports whether there is nothing to hide.
func (s Set) Empty() bool { return len(s.forms) == 0 }

// Scrub returns text, which somebody else wrote, with "[secret]" wherever it
// repeats a secret, be it quoted or escaped, and however often. Of one that was
// cut short, the beginning is taken out.
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
	most, escaped := 0, strings.IndexByte(`%+\`, text[0]) >= 0
	for _, form := range s.forms {
		if text[0] != form[0] && !escaped {
			continue
		}
		if strings.HasPrefix(text, form) {
			most = max(most, len(form))
			continue
		}
		n, of := common(text, form)
		if of == len(form) || of >= begun && cut(text[n:]) {
			most = max(most, n)
		}
	}
	return most
}

// common returns how many bytes at the beginning of a text are how many bytes of
// a secret, whatever quotes and escapes were put around them on the way.
func common(text, secret string) (n, of int) {
	for of < len(secret) && n < len(text) {
		switch used, meant := unescape(text[n:]); {
		case meant != "" && strings.HasPrefix(secret[of:], meant):
			n, of = n+used, of+len(meant)
		case text[n] == secret[of]:
			n, of = n+1, of+1
		case text[n] == '\\' && n > 0:
			n++ // quoted, perhaps more than once
		default:
			return n, of
		}
	}
	return n, of
}

// unescape returns what the beginning of a text stands for, if it is something
// escaped, as %2F, \x2f, \u002f or the + of a form, and how long that is.
func unescape(text string) (used int, meant string) {
	hex := func(from, digits, bits int) (uint64, bool) {
		if len(text) < from+digits {
			return 0, false
		}
		v, err := strconv.ParseUint(text[from:from+digits], 16, bits)
		return v, err == nil
	}
	switch {
	case text[0] == '+':
		return 1, " "
	case text[0] == '%':
		if v, ok := hex(1, 2, 8); ok {
			return 3, string([]byte{byte(v)})
		}
	case strings.HasPrefix(text, `\x`):
		if v, ok := hex(2, 2, 8); ok {
			return 4, string([]byte{byte(v)})
		}
	case strings.HasPrefix(text, `\u`):
		if v, ok := hex(2, 4, 16); ok {
			return 6, string(rune(v))
		}
	case strings.HasPrefix(text, `\U`):
		if v, ok := hex(2, 8, 31); ok {
			return 10, string(rune(v))
		}
	}
	return 0, ""
}

// cut reports whether what follows is what follows a text that was cut short.
func cut(rest string) bool {
	rest = strings.TrimLeft(rest, `\`)
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
	for _, f := range v.Fields() {
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

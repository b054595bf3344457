// Package secret holds texts that chartd must use and nobody may see: passwords,
// tokens, keys, the values of headers, addresses with any of these in them.
//
// A setting that is one has the type Text or URL, and however the configuration
// is printed, logged or encoded, it stays hidden. What others say, a server or a
// program that was sent the secret, may repeat it: a Set takes it out of their
// texts, and In finds all that a configuration holds.
package secret

import "fmt"

// shown stands where a secret was.
const shown = "[secret]"

// Text is a secret. However it is printed, logged or encoded, it says only
// whether there is one: "[secret]", or "".
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
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) } // a fmt.State keeps its errors

// Concealed marks the type for whoever reads it from a file: what is wrong with
// such a value is said without repeating it.
func (Text) Concealed() {}

// MarshalText implements encoding.TextMarshaler, for JSON and loggers.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalYAML returns what String returns.
func (t Text) MarshalYAML() (any, error) { return t.String(), nil }

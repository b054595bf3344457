package auth

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// Secret is a text that nobody should see. However it is printed, logged or
// encoded, it is "[secret]", or "" if there is none. Convert it to a string to
// use it.
type Secret string

// concealed is what stands for every Secret.
const concealed = "[secret]"

// String returns "[secret]", or "" if there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return concealed
}

// GoString returns what String returns.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb: %x and %q would show
// the text otherwise.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // a fmt.State keeps its errors
}

// MarshalText returns what String returns; JSON and loggers use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns what String returns.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// Concealed marks the type for whoever reads it from a file: what is wrong
// with such a value must be said without repeating it.
func (Secret) Concealed() {}

// digest is what a Secret is compared by.
type digest [sha256.Size]byte

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

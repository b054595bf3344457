package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// maxExcerpt is how much of an answer an error repeats, in bytes.
const maxExcerpt = 200

// Err returns nil for an answer of status 2xx, and otherwise an error that
// repeats the status and the first line of text.
func (a *Answer) Err() error {
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	said := fmt.Sprintf("the answer is %d %s", a.Status, http.StatusText(a.Status))
	if line := a.firstLine(); line != "" {
		said += ": " + line
	}
	return a.wrap(&statusError{status: a.Status, said: said})
}

// statusError is an answer that is none.
type statusError struct {
	status int
	said   string
}

// Error implements error.
func (e *statusError) Error() string { return e.said }

// Brief implements source.Brief.
func (e *statusError) Brief() string {
	return fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
}

// Wrap says of an error in reading the answer what had been asked. It shows no
// secret, even if the error repeats a part of the answer.
func (a *Answer) Wrap(err error) error { return a.wrap(err) }

// Clean returns err, or what it says without the secrets of the question.
func (a *Answer) Clean(err error) error {
	said := err.Error()
	if clean := a.Scrub(said); clean != said {
		return errors.New(clean)
	}
	return err
}

// Scrub returns a text without the secrets of the question. What of an answer is
// shown goes through it before it is cut, so that no half of one is left.
func (a *Answer) Scrub(text string) string { return a.hidden.Scrub(text) }

// wrap keeps what err is, unless it had to be changed.
func (a *Answer) wrap(err error) error {
	return fmt.Errorf("%s: %w", a.Scrub(a.what), a.Clean(err))
}

// firstLine returns the beginning of a body that is a text.
func (a *Answer) firstLine() string {
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return ""
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(a.Body), []byte{'\n'})
	// All of the line is searched for secrets before it is cut, so that no half
	// of one is left; of a body without lines, a bounded part.
	s := a.Scrub(string(line[:min(len(line), 64*maxExcerpt)]))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > maxExcerpt {
		s = strings.ToValidUTF8(s[:maxExcerpt], "") + "…"
	}
	return s
}

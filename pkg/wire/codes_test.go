package wire

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestErrorCodes(t *testing.T) {
	seen := map[ErrorCode]bool{}
	for _, c := range ErrorCodes() {
		if seen[c] || !regexp.MustCompile(`^[a-z_]+$`).MatchString(string(c)) {
			t.Errorf("%q is there twice or is no name", c)
		}
		seen[c] = true
	}
	err := fmt.Errorf("sub: %w", &Error{Code: CodeBusy, Message: "16 callbacks wait"})
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Temporary() || e.Error() != "busy: 16 callbacks wait" {
		t.Errorf("%v", e)
	}
}

// The range of a close code says whether to come back; every code has a name
// of its own.
func TestCloseCodes(t *testing.T) {
	seen := map[string]bool{}
	last := CloseCode(3999)
	for _, c := range CloseCodes() {
		if c <= last || c > 4999 {
			t.Errorf("%d comes after %d", c, last)
		}
		last = c
		name := c.String()
		if seen[name] || !regexp.MustCompile(`^[a-z_]+$`).MatchString(name) {
			t.Errorf("%d has the name %q", c, name)
		}
		seen[name] = true
		if c.Retry() != (c < 4500) {
			t.Errorf("%v: retry %v", c, c.Retry())
		}
	}
	for _, standard := range []CloseCode{1000, 1001, 1006, 1009, 1011, 1012} {
		if !standard.Retry() {
			t.Errorf("%d does not come back", standard)
		}
	}
	if got := CloseCode(4123).String(); got != "4123" {
		t.Errorf("an unknown code is %q", got)
	}
	if got := (Close{CloseShutdown, "restart"}).Error(); got != "closed: shutdown (4000): restart" {
		t.Error(got)
	}
	if got := (Close{Code: CloseSlowWrite}).Error(); got != "closed: slow_write (4002)" {
		t.Error(got)
	}
}

func TestACloseFrameFits(t *testing.T) {
	for _, reason := range []string{"", "bye", strings.Repeat("x", 500), strings.Repeat("ü", 62), "a" + strings.Repeat("日", 60), strings.Repeat("\xff", 100)} {
		p := Close{CloseShutdown, reason}.Payload()
		if len(p) > 125 || p[0] != 0x0f || p[1] != 0xa0 || !utf8.Valid(p[2:]) {
			t.Errorf("%q gives %q", reason, p)
		}
		if utf8.ValidString(reason) && (!strings.HasPrefix(reason, string(p[2:])) || len(reason) <= 123 && len(p) != len(reason)+2) {
			t.Errorf("%q gives %q", reason, p)
		}
	}
}

package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/secret"
)

func TestASecretIsNotShown(t *testing.T) {
	type config struct {
		Password secret.Text
		Headers  map[string]secret.Text
	}
	const hidden = "hunter2"
	c := config{hidden, map[string]secret.Text{"X-Key": hidden}}
	js, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	enc := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	line, err := enc.EncodeEntry(zapcore.Entry{}, []zapcore.Field{zap.Any("text", c.Password), zap.Stringer("s", c.Password), zap.Any("config", c), zap.Any("p", &c)})
	if err != nil {
		t.Fatal(err)
	}
	said := []string{string(js), line.String(), fmt.Errorf("x: %w", errors.New(fmt.Sprint(c.Password))).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		said = append(said, fmt.Sprintf(verb, c), fmt.Sprintf(verb, &c), fmt.Sprintf(verb, c.Password))
	}
	for _, s := range said {
		if strings.Contains(s, hidden) || strings.Contains(s, fmt.Sprintf("%x", hidden)) {
			t.Errorf("shown in %s", s)
		}
		if !strings.Contains(s, "secret") {
			t.Errorf("that there is one does not show in %s", s)
		}
	}
	if c.Password.Reveal() != hidden {
		t.Error("it cannot be used")
	}
	if fmt.Sprint(secret.Text("")) != "" {
		t.Error("there is none, and it says that there is")
	}
}

func TestScrub(t *testing.T) {
	for _, tc := range []struct {
		text, want string
		secrets    []string
	}{
		{"nothing here", "nothing here", nil},
		{"nothing here", "nothing here", []string{""}},
		{"bad token s3cret, s3cret!", "bad token [secret], [secret]!", []string{"s3cret"}},
		{"abc and abcd, 1 of it", "[secret] and [secret], 1 of it", []string{"abc", "abcd", "1"}},
		{"GET /?k=a%26b+c", "GET /?k=[secret]", []string{"a&b c"}},
		{`near "a\"b\u003c<é"`, `near "[secret]<é"`, []string{`a"b<`}},
		{`near "a\"b<\u00e9"`, `near "[secret]"`, []string{`a"b<é`}},
		{`near \\\"a\\\"b%3C%c3%A9\\\"`, `near \\\"[secret]\\\"`, []string{`a"b<é`}},
		{`a%2Fb%25c\d a%252Fb`, `[secret] a%252Fb`, []string{`a/b%c\d`}},
		{`a%2Fb a/b`, `[secret] a/b`, []string{`a%2Fb`}},
		{`\xff\u12 %4`, `\xff\u12 %4`, []string{`hunter2`}},
		{"Basic aHVudGVyMg==", "Basic [secret]", []string{"hunter2"}},
		{"no token hunter2", "no token [secret]", []string{"Bearer hunter2"}},
		{`near "hunt" or hunting, at the end hunte`, `near "[secret]" or hunting, at the end [secret]`, []string{"hunter2"}},
		{"near hunter…", "near [secret]…", []string{"hunter2"}},
	} {
		if got := secret.NewSet(tc.secrets...).Scrub(tc.text); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		// A secret of letters that "[secret]" does not have, so that what stands
		// for it cannot be one.
		hidden := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-9A-Z]{4,9}`), 1, 4, rapid.ID).Draw(t, "secrets")
		text := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(hidden), rapid.StringMatching(`[a-z ]{1,5}`))).Draw(t, "text"), " ")
		got := secret.NewSet(hidden...).Scrub(text)
		for _, h := range hidden {
			if strings.Contains(got, h) {
				t.Fatalf("%q of %q is left in %q", h, text, got)
			}
		}
	})
}

// TestIn finds every secret of settings, wherever they are and however they travel.
func TestIn(t *testing.T) {
	type inner struct {
		Username string
		Password secret.Text
	}
	type settings struct {
		inner
		Plain   string
		Self    *settings
		Servers []secret.URL
		Headers map[string]secret.Text
		DSN     secret.Text
		Any     any
	}
	s := &settings{
		inner: inner{"user", "hunter2a"}, Plain: "shown",
		Servers: []secret.URL{"http://u:hunter2b%2Fx@host/path?key=hunter2c#hunter2d", "nats://hunter2e@host", "http://host/?a=%zz&key=hunter2g"},
		Headers: map[string]secret.Text{"X": "Bearer hunter2h"}, DSN: "postgres://me:hunter2i@host/db?sslmode=disable", Any: []secret.Text{"hunter2j"},
	}
	s.Self = s
	hidden := secret.In(s, secret.Text("hunter2k"))
	for _, text := range []string{
		"hunter2a", "dXNlcjpodW50ZXIyYQ==", "hunter2b/x", "hunter2b%2Fx", "dTpodW50ZXIyYi94", "hunter2c", "hunter2d", "hunter2e", "hunter2g", "hunter2h", "Bearer hunter2h",
		"hunter2i", "postgres://me:hunter2i@host/db?sslmode=disable", "hunter2j", "hunter2k",
	} {
		if got := hidden.Scrub("said " + text + "!"); got != "said [secret]!" {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{"user", "shown", "host", "path", "postgres", "disable", "Bearer"} {
		if got := hidden.Scrub(text + " is it"); got != text+" is it" {
			t.Errorf("%s is no secret: %s", text, got)
		}
	}
	if !secret.In(&struct{ Plain string }{"shown"}).Empty() || hidden.Empty() {
		t.Error("there is a secret where none is, or none where there is")
	}
}

func BenchmarkScrub(b *testing.B) {
	hidden := secret.NewSet("hunter2-0123456789", "Bearer hunter3-0123456789")
	text := strings.Repeat("connecting to 10.0.0.1:4222: connection refused; ", 4)
	for b.Loop() {
		if hidden.Scrub(text) != text {
			b.Fatal("it has changed")
		}
	}
}

// FuzzScrub holds that whatever is around a secret, and however it is quoted,
// nothing of it is left, and that no text without it changes.
func FuzzScrub(f *testing.F) {
	f.Add("near %22", "hunter2\"<é", byte(3))
	f.Add("\\", "a%2Fb", byte(1))
	f.Fuzz(func(t *testing.T, around, hidden string, how byte) {
		if len(hidden) < 4 || strings.Contains("[secret]", hidden) || !utf8.ValidString(hidden) || strings.ContainsFunc(hidden, unicode.IsControl) {
			return
		}
		set := secret.NewSet(hidden)
		said := hidden
		switch how & 3 {
		case 1:
			said = strconv.Quote(said)
			said = said[1 : len(said)-1]
		case 2:
			said = url.QueryEscape(said)
		case 3:
			said = url.PathEscape(said)
		}
		got := set.Scrub(around + said)
		for left := range strings.SplitSeq(got, "[secret]") { // whose bracket may well end what looks like one
			if strings.Contains(left, said) {
				t.Errorf("%q of %q is left in %q", said, hidden, got)
			}
		}
		if got := set.Scrub(around); got != around && !strings.Contains(got, "[secret]") {
			t.Errorf("%q became %q", around, got)
		}
	})
}

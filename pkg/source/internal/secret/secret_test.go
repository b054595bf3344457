package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source/internal/secret"
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
		{"ab and abc", "[secret] and [secret]", []string{"ab", "abc"}},
		{"GET /?k=a%26b+c", "GET /?k=[secret]", []string{"a&b c"}},
	} {
		if got := secret.Scrub(tc.text, tc.secrets...); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		// A secret of letters that "[secret]" does not have, so that what stands
		// for it cannot be one.
		hidden := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-9A-Z]{4,9}`), 1, 4, rapid.ID).Draw(t, "secrets")
		text := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(hidden), rapid.StringMatching(`[a-z ]{1,5}`))).Draw(t, "text"), " ")
		got := secret.Scrub(text, hidden...)
		for _, h := range hidden {
			if strings.Contains(got, h) {
				t.Fatalf("%q of %q is left in %q", h, text, got)
			}
		}
	})
}

package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference is what AppendString must write.
func reference(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var strange = []string{
	"", "plain", `"`, `\`, "a\nb\tc\rd", "\b\f\x00\x1f\x7f", "<g class='a'>&amp;</g>", "Zürich 東京 🌡",
	"\u2028\u2029", "\xff", "a\xc3", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\ufffd", "\ufffe",
	strings.Repeat("x", 100) + "\"",
}

func TestAppendStringWritesWhatEncodingJSONWrites(t *testing.T) {
	for _, s := range strange {
		want := reference(t, s)
		if got := string(AppendString(nil, s)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want)
		}
		if got := string(AppendString([]byte("x"), []byte(s))); got != "x"+want {
			t.Errorf("AppendString(bytes %q) = %s, want x%s", s, got, want)
		}
	}
}

func TestAppendTextMakesWhatXMLForbidsVisible(t *testing.T) {
	got := string(appendText(nil, []byte("a\x01b\x00\ufffe\uffff\tc\n\xff")))
	if want := reference(t, "a\ufffdb\ufffd\ufffd\ufffd\tc\n\ufffd"); got != want {
		t.Errorf("appendText = %s, want %s", got, want)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range strange {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendString(nil, s)
		if want := reference(t, s); string(got) != want {
			t.Fatalf("AppendString(%q) = %s, want %s", s, got, want)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(s) && back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

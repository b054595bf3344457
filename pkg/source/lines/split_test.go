package lines

import (
	"bytes"
	"encoding/csv"
	"testing"

	"pgregory.net/rapid"
)

// TestSeparated holds our way to part a line of CSV to encoding/csv's.
func TestSeparated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9.,;"|\t]{0,6}([ ][a-z"]{1,3})?`), 1, 8).Draw(t, "fields")
		sep := rapid.SampledFrom([]byte(",;|\t")).Draw(t, "separator")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rune(sep)
		if err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		got, err := separated(nil, bytes.TrimRight(b.Bytes(), "\n"), sep)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %d fields, want %q: %v", b.String(), len(got), want, err)
		}
		for i := range want {
			if string(got[i].text) != want[i] {
				t.Fatalf("field %d of %q is %q, want %q", i, b.String(), got[i].text, want[i])
			}
		}
	})
}

// TestUnits reads every unit that may stand behind a number.
func TestUnits(t *testing.T) {
	for _, s := range suffixes {
		for _, text := range []string{"2.5" + s.text, "2.5 " + s.text} {
			v, u, ok := value([]byte(text))
			if !ok || v != 2.5*s.scale || u != s.unit {
				t.Errorf("%s is %v %s, %v", text, v, u, ok)
			}
		}
	}
	for _, text := range []string{"", "-", "2x", "0x10", "1.2.3", "127.0.0.1", "12:30", "1e", "+", ".", "2023-11-14", "a1", "1a2b3c", "Inf", "NaN", "1,23,4"} {
		if v, u, ok := value([]byte(text)); ok {
			t.Errorf("%q is taken for %v %s", text, v, u)
		}
	}
}

package plotting

import (
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
)

// The wanted texts are what a browser shows, read from left to right.
func TestGlyphs(t *testing.T) {
	face := font.NewCache(liberation.Collection()).Lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, 12)
	for text, want := range map[string]string{
		"north <8> µ²→…": "north <8> µ²→…",
		"שלום עולם":      "םלוע םולש",
		"שלום…":          "םולש…",
		"a שלום b":       "a םולש b",
		"שלום 12.5 x":    "12.5 םולש x",
		"(שלום [א]) b":   "([א] םולש) b",
		"שָלום":          "םולשָ",
		"日本\tе":          "□□\tе",
		"ش1":             "1□",
		"":               "",
	} {
		if got := glyphs(text, face); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

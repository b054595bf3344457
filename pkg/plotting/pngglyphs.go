package plotting

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
)

// glyphs returns a text as a PNG can show it: its letters in the order in which
// they stand from left to right, and a box for each that the font does not have.
// A browser does both by itself, and has more fonts.
func glyphs(s string, face font.Face) string {
	var buf sfnt.Buffer
	return strings.Map(func(r rune) rune {
		if i, err := face.Face.GlyphIndex(&buf, r); err != nil || i == 0 && !unicode.IsSpace(r) {
			return '□'
		}
		return r
	}, leftToRight(s))
}

// fromRight reports whether a letter is of a script that is written from right to
// left.
func fromRight(r rune) bool { return unicode.In(r, unicode.Hebrew, unicode.Arabic) }

// leftToRight returns a text with what is written from right to left turned round:
// from the first such letter to the last before another script, numbers
// excepted. It is what Unicode's rules come to for a line of names in a text from
// left to right.
func leftToRight(s string) string {
	rest := []rune(s)
	if !slices.ContainsFunc(rest, fromRight) {
		return s
	}
	var out []rune
	for len(rest) > 0 {
		end := 0 // of what is turned round
		if fromRight(rest[0]) {
			for i, r := range rest {
				if fromRight(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || closes(rest[:i], r) {
					end = i + 1
				} else if unicode.IsLetter(r) {
					break
				}
			}
		}
		if end == 0 {
			out, rest = append(out, rest[0]), rest[1:]
			continue
		}
		for _, p := range slices.Backward(pieces(rest[:end])) {
			out = append(out, p...)
		}
		rest = rest[end:]
	}
	return string(out)
}

// closes reports whether a letter is the bracket that closes one of a text.
func closes(text []rune, r rune) bool {
	i := strings.IndexRune(")]}", r)
	return i >= 0 && slices.Contains(text, rune("([{"[i]))
}

// pieces cuts a text into what stays as it is when the text is turned round: a
// number, a letter with its points. A bracket becomes its counterpart.
func pieces(text []rune) (out [][]rune) {
	const brackets, turned = "()[]{}<>«»", ")(][}{><»«"
	for i := 0; i < len(text); {
		n := 1
		for ; i+n < len(text); n++ {
			next, number := text[i+n], unicode.IsDigit(text[i])
			inside := strings.ContainsRune(".,:/", next) && i+n+1 < len(text) && unicode.IsDigit(text[i+n+1])
			if belongs := unicode.Is(unicode.Mn, next) || number && (unicode.IsDigit(next) || inside); !belongs {
				break
			}
		}
		p := text[i : i+n]
		if at := strings.IndexRune(brackets, p[0]); at >= 0 {
			r := []rune(turned[at:])[0]
			p = append([]rune{r}, p[1:]...)
		}
		out, i = append(out, p), i+n
	}
	return out
}

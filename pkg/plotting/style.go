package plotting

import (
	"image/color"
	"slices"
	"strconv"
	"strings"
)

// Ink is a colour by its role. It becomes a CSS class in SVG, so that a dark
// page, print and a page's own theme need no second render, and a real colour
// in a PNG. It satisfies color.Color, so that gonum carries it to our Canvas.
type Ink uint8

// The inks. SeriesInk(i) gives those of the series.
const (
	TextInk  Ink = iota // titles, values
	MutedInk            // tick labels, units
	GridInk             // grid lines, a gauge's track
	BackInk             // the background
	WarnInk             // what has reached a threshold
	AlarmInk            // what has reached a worse one
	firstSeriesInk
)

// Colors is how many series have a colour of their own; the next one starts
// over.
const Colors = 8

// SeriesInk returns the ink of the i-th series.
func SeriesInk(i int) Ink { return firstSeriesInk + Ink(i%Colors) }

// RGBA makes Ink a color.Color: the light theme's colour.
func (k Ink) RGBA() (r, g, b, a uint32) { return k.In(Light).RGBA() }

// In returns the colour in a theme.
func (k Ink) In(t Theme) color.RGBA {
	p := palette[min(int(k), len(palette)-1)]
	hex := p.light
	if t == Dark {
		hex = p.dark
	}
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}

// Theme is light or dark.
type Theme string

// The themes. A PNG has one; an SVG asks the browser unless it is forced.
const (
	Light Theme = "light"
	Dark  Theme = "dark"
)

// palette has, by Ink, the CSS variable ("--chartd-" + name) and the colours.
// Text on background has a contrast of at least 4.5 to 1, series at least 3.
var palette = [...]struct {
	name        string
	light, dark uint32
}{
	TextInk:            {"fg", 0x1b2430, 0xe8ecf2},
	MutedInk:           {"muted", 0x5b6675, 0x9aa6b5},
	GridInk:            {"grid", 0xe4e8ee, 0x2a323d},
	BackInk:            {"bg", 0xffffff, 0x141920},
	WarnInk:            {"warn", 0x9a5b00, 0xffb454},
	AlarmInk:           {"alarm", 0xc0262d, 0xff8589},
	firstSeriesInk:     {"c0", 0x2f6fde, 0x6ea8ff},
	firstSeriesInk + 1: {"c1", 0xdb6a12, 0xff9d57},
	firstSeriesInk + 2: {"c2", 0x178c60, 0x41c995},
	firstSeriesInk + 3: {"c3", 0xbf3a88, 0xf07cc0},
	firstSeriesInk + 4: {"c4", 0x7a52d6, 0xab90ff},
	firstSeriesInk + 5: {"c5", 0x0b859d, 0x45c5dd},
	firstSeriesInk + 6: {"c6", 0xd43c43, 0xff7a7d},
	firstSeriesInk + 7: {"c7", 0x857510, 0xd1bd45},
}

// appendClass appends the classes that paint an element: 's' strokes with the
// ink, 'f' fills with it.
func (k Ink) appendClass(b []byte, how byte) []byte {
	b = append(b, how)
	if k >= firstSeriesInk {
		b = append(b, "c c"...)
		return strconv.AppendInt(b, int64(k-firstSeriesInk), 10)
	}
	return append(b, palette[k].name[0])
}

// stackShare is how much of a stacked area's colour is its series'; the rest
// is background. It is opaque: each area hides the foot of the one behind.
const stackShare = 80

// areaOpacity is that of a plain area, in percent.
const areaOpacity = 15

// bandOpacity is that of an annotated span of time, in percent.
const bandOpacity = 12

// styleSheet is the content of every frame's <style>: about two kilobytes, the
// same for every chart. A page overrides it by setting --chartd-… variables.
var styleSheet = makeStyleSheet("")

// In returns the frame in the colours of one theme, where by itself it asks the
// browser for its reader's. A page needs no such frame: it sets the variables.
func (f *Frame) In(theme Theme) *Frame {
	root := *f.Root
	root.Kids = slices.Clone(root.Kids)
	for i, k := range root.Kids {
		if k.Key == styleKey {
			sheet := *k
			sheet.Live = []byte(makeStyleSheet(theme))
			root.Kids[i] = &sheet
		}
	}
	return &Frame{Epoch: f.Epoch, Root: &root}
}

const styleKey = "css"

// makeStyleSheet returns the rules, for one theme or, if that is empty, both.
func makeStyleSheet(theme Theme) string {
	var b strings.Builder
	vars := func(selector string, dark bool) {
		b.WriteString(selector + "{")
		for _, p := range palette {
			hex := p.light
			if dark {
				hex = p.dark
			}
			b.WriteString("--" + p.name + ":#" + strconv.FormatUint(uint64(hex)|1<<24, 16)[1:] + ";")
		}
		b.WriteString("}")
	}
	vars(".chartd", theme == Dark)
	if theme == "" {
		b.WriteString("@media(prefers-color-scheme:dark){")
		vars(".chartd", true)
		b.WriteString("}")
	}
	b.WriteString(`.chartd{font-family:var(--chartd-font,Liberation Sans,Arial,Helvetica,sans-serif);font-variant-numeric:tabular-nums}`)
	// What series look like is said of their groups and inherited: a path that
	// grows is styled anew, and is the cheaper the fewer rules are its own.
	b.WriteString(".chartd{fill:none;stroke-width:10;stroke-linejoin:round}")
	for _, p := range palette[:firstSeriesInk] {
		v := "var(--chartd-" + p.name + ",var(--" + p.name + "))"
		b.WriteString(".chartd .s" + p.name[:1] + "{stroke:" + v + "}.chartd .f" + p.name[:1] + "{fill:" + v + "}")
	}
	for _, p := range palette[firstSeriesInk:] {
		b.WriteString(".chartd ." + p.name + "{--c:var(--chartd-" + p.name + ",var(--" + p.name + "))}")
	}
	b.WriteString(".chartd .sc,.chartd .l{stroke:var(--c)}.chartd .fc,.chartd .a{fill:var(--c)}" +
		".chartd .l{stroke-width:18;stroke-linecap:round}.chartd .p{stroke-width:50}" +
		".chartd .a{opacity:." + strconv.Itoa(areaOpacity) + "}" +
		".chartd .k{opacity:1;fill:color-mix(in srgb,var(--c) " + strconv.Itoa(stackShare) + "%,var(--chartd-bg,var(--bg)))}" +
		".chartd .b{font-weight:600}.chartd .x text{font-size:110px;text-anchor:middle}.chartd .x .ms{text-anchor:start}.chartd .x .me{text-anchor:end}.chartd .off{opacity:.4}.chartd .band{opacity:." + strconv.Itoa(bandOpacity) + "}")
	return b.String()
}

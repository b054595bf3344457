package plotting

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
)

// PNG writes a frame as a PNG in a theme's colours, each px of the frame scale
// px wide. It draws the SVG that the frame is, no more than what our Canvas
// and style sheet know, so that a picture cannot differ from the live chart.
func PNG(w io.Writer, f *Frame, theme Theme, scale float64) error {
	root, err := readElements(f.AppendSVG(nil))
	if err != nil {
		return err
	}
	view := strings.Fields(root.attr["viewBox"])
	if len(view) != 4 {
		return fmt.Errorf("no viewBox in the frame")
	}
	px := scale / unit
	width, height := int(math.Ceil(parseNumber(view[2])*px)), int(math.Ceil(parseNumber(view[3])*px))
	if side := max(width, height); scale <= 0 || side > 4*MaxSide || min(width, height) < 1 {
		return fmt.Errorf("a picture of %d by %d px is too large or too small; each side must be 1 to %d px", width, height, 4*MaxSide)
	}
	r := &raster{
		ctx: gg.NewContext(width, height), theme: theme,
		fonts: font.NewCache(liberation.Collection()), clips: map[string]string{},
		w: float64(width), h: float64(height), px: px,
	}
	r.ctx.SetColor(BackInk.In(theme))
	r.ctx.Clear()
	r.ctx.SetLineJoinRound()
	r.draw(root, look{m: matrix{a: px, d: px}, width: unit, opacity: 1, ink: TextInk})
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(w, r.ctx.Image()); err != nil {
		return fmt.Errorf("write png: %w", err)
	}
	return nil
}

// element is an XML element: what Parse leaves as bytes is read here.
type element struct {
	name string
	attr map[string]string
	kids []*element
	text string
}

func readElements(svg []byte) (*element, error) {
	dec := xml.NewDecoder(strings.NewReader(string(svg)))
	top := &element{}
	open := []*element{top}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read svg: %w", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local, attr: map[string]string{}}
			for _, a := range tok.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			parent := open[len(open)-1]
			parent.kids = append(parent.kids, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			open[len(open)-1].text += string(tok)
		}
	}
	if len(top.kids) != 1 || top.kids[0].name != "svg" {
		return nil, fmt.Errorf("read svg: no root element")
	}
	return top.kids[0], nil
}

// raster draws elements into an image.
type raster struct {
	ctx   *gg.Context
	theme Theme
	fonts *font.Cache
	clips map[string]string // clip path's d by id
	w, h  float64           // px of the image
	px    float64           // px of the image in a unit

	clipped []clipping // by the groups that are open
}

// look is what an element inherits: its place and what the style sheet gives
// it. It mirrors makeStyleSheet, class by class.
type look struct {
	m            matrix
	stroke, fill color.Color // nil: none
	series       Ink         // --c
	ink          Ink
	width        float64 // of strokes, in units
	dash         []float64
	round        bool
	line, area   byte // how paths in the group are drawn: l, p; a, k
	opacity      float64
	size         float64 // of text, in units
	bold         bool
	anchor       string
}

func (r *raster) draw(e *element, l look) {
	switch e.name {
	case "title", "desc", "style":
		return
	case "defs":
		for _, c := range e.kids {
			if len(c.kids) > 0 {
				r.clips[c.attr["id"]] = c.kids[0].attr["d"]
			}
		}
		return
	}
	l = r.styled(e, l)
	switch e.name {
	case "path":
		r.path(e.attr["d"], l)
	case "text":
		r.text(e, l)
	default:
		r.group(e, l)
	}
}

// styled applies an element's classes and attributes.
func (r *raster) styled(e *element, l look) look {
	classes := strings.Fields(e.attr["class"])
	for _, c := range classes {
		if n, err := strconv.Atoi(strings.TrimPrefix(c, "c")); err == nil && strings.HasPrefix(c, "c") {
			l.series = SeriesInk(n)
		}
	}
	if e.name == "path" {
		l.stroke, l.fill = nil, nil
		switch {
		case l.area == 'a':
			l.fill = l.series.In(r.theme)
		case l.area == 'k':
			l.fill = mix(l.series.In(r.theme), BackInk.In(r.theme), stackShare)
		case l.line == 'l':
			l.stroke, l.width, l.round = l.series.In(r.theme), 18, true
		case l.line == 'p':
			l.stroke, l.width, l.round = l.series.In(r.theme), 50, true
		}
	}
	for _, c := range classes {
		switch {
		case c == "l" || c == "p":
			l.line = c[0]
		case c == "a" && !slices.Contains(classes, "k"):
			l.area, l.opacity = 'a', areaOpacity/100.0
		case c == "k":
			l.area = 'k'
		case c == "band":
			l.opacity = bandOpacity / 100.0
		case c == "off":
			l.opacity = 0.4
		case c == "b":
			l.bold = true
		case c == "x":
			l.size, l.anchor = labelSize*unit, "middle"
		case c == "ms":
			l.anchor = "start"
		case c == "me":
			l.anchor = "end"
		case c == "sc":
			l.stroke = l.series.In(r.theme)
		case c == "fc":
			l.fill = l.series.In(r.theme)
		case len(c) == 2 && (c[0] == 's' || c[0] == 'f'):
			for ink := range firstSeriesInk {
				if palette[ink].name[0] == c[1] {
					if c[0] == 's' {
						l.stroke = ink.In(r.theme)
					} else {
						l.fill = ink.In(r.theme)
					}
				}
			}
		}
	}
	if v := e.attr["stroke-width"]; v != "" {
		l.width = parseNumber(v)
	}
	if v := e.attr["stroke-dasharray"]; v != "" {
		for f := range strings.FieldsSeq(v) {
			l.dash = append(l.dash, parseNumber(f)*r.px)
		}
	}
	if v := e.attr["font-size"]; v != "" {
		l.size = parseNumber(v)
	}
	if e.attr["font-weight"] != "" {
		l.bold = true
	}
	if v := e.attr["text-anchor"]; v != "" {
		l.anchor = v
	}
	l.m = l.m.then(parseTransform(e.attr["transform"]))
	return l
}

func (r *raster) group(e *element, l look) {
	if l.opacity < 1 {
		// A picture of its own, so that what overlaps in it does not add up.
		over := *r
		over.ctx = gg.NewContext(r.ctx.Width(), r.ctx.Height())
		over.ctx.SetLineJoinRound()
		over.clip()
		mask := image.NewUniform(color.Alpha{A: uint8(l.opacity*255 + 0.5)})
		l.opacity = 1
		over.group(e, l)
		dst := r.ctx.Image().(draw.Image) // gg draws on an *image.RGBA
		draw.DrawMask(dst, dst.Bounds(), over.ctx.Image(), image.Point{}, mask, image.Point{}, draw.Over)
		return
	}
	if ref, ok := strings.CutPrefix(e.attr["clip-path"], "url(#"); ok {
		outer := r.clipped
		r.clipped = append(slices.Clip(outer), clipping{r.clips[strings.TrimSuffix(ref, ")")], l.m})
		r.clip()
		defer func() {
			r.clipped = outer
			r.clip()
		}()
	}
	for _, k := range e.kids {
		r.draw(k, l)
	}
}

func (r *raster) path(d string, l look) {
	ctx := r.ctx
	var start, at [2]float64
	alone := false // the subpath has no length yet
	to := func(x, y float64) {
		x0, y0, x1, y1 := cutLine(at[0], at[1], x, y)
		if near(at[0]) != x0 || near(at[1]) != y0 {
			ctx.LineTo(x0, y0)
		}
		ctx.LineTo(x1, y1)
		if near(x) != x1 || near(y) != y1 {
			ctx.LineTo(near(x), near(y))
		}
	}
	trace := func(dots bool) {
		dot := func() {
			if dots && alone && l.round && at[0] == near(at[0]) && at[1] == near(at[1]) {
				ctx.DrawCircle(at[0], at[1], l.width*r.px/2)
				ctx.Fill()
			}
		}
		alone = false
		walkPath(d, func(op byte, p []float64) {
			x, y := l.m.xy(p)
			switch op {
			case 'M':
				dot()
				start, alone = [2]float64{x, y}, true
				if !dots {
					ctx.MoveTo(near(x), near(y))
				}
			case 'Q':
				alone = false
				x2, y2 := l.m.xy(p[2:])
				if !dots {
					ctx.QuadraticTo(x, y, x2, y2)
				}
				x, y = x2, y2
			case 'C':
				alone = false
				x2, y2 := l.m.xy(p[2:])
				x3, y3 := l.m.xy(p[4:])
				if !dots {
					ctx.CubicTo(x, y, x2, y2, x3, y3)
				}
				x, y = x3, y3
			case 'Z':
				if !dots {
					ctx.ClosePath()
				}
				x, y = start[0], start[1]
			default:
				if [2]float64{x, y} != at {
					alone = false
					if !dots {
						to(x, y)
					}
				}
			}
			at = [2]float64{x, y}
		})
		dot()
	}
	if l.fill != nil {
		trace(false)
		ctx.SetColor(l.through(l.fill))
		ctx.Fill()
	}
	if l.stroke != nil {
		ctx.SetColor(l.through(l.stroke))
		if l.round {
			trace(true)
			ctx.SetLineCapRound()
		} else {
			ctx.SetLineCapButt()
		}
		ctx.SetLineWidth(l.width * r.px)
		ctx.SetDash(l.dash...)
		trace(false)
		ctx.Stroke()
	}
}

// mix returns share percent of a and the rest of b.
func mix(a, b color.RGBA, share int) color.RGBA {
	m := func(x, y uint8) uint8 { return uint8((int(x)*share + int(y)*(100-share)) / 100) }
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 0xff}
}

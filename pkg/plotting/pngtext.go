package plotting

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"git.sr.ht/~sbinet/gg"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
)

// clipping is a clip path and where it lies.
type clipping struct {
	d string
	m matrix
}

// clip sets the clips of the groups that are open.
func (r *raster) clip() {
	r.ctx.ResetClip()
	for _, c := range r.clipped {
		// The clips are level and upright lines, so that cutting their corners
		// off far outside the picture changes nothing.
		walkPath(c.d, func(op byte, p []float64) {
			x, y := c.m.xy(p)
			x, y = max(-9, min(r.w+9, x)), max(-9, min(r.h+9, y))
			switch op {
			case 'M':
				r.ctx.MoveTo(x, y)
			case 'L':
				r.ctx.LineTo(x, y)
			case 'Z':
				r.ctx.ClosePath()
			}
		})
		r.ctx.Clip()
	}
}

func (r *raster) text(e *element, l look) {
	if l.fill == nil {
		l.fill = l.ink.In(r.theme)
	}
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(l.size)}
	if l.bold {
		f.Weight = xfont.WeightBold
	}
	found := r.fonts.Lookup(f, f.Size)
	face := found.FontFace(72 * r.px)
	r.ctx.SetFontFace(face)
	text := glyphs(e.text, found)
	x, y := l.m.xy([]float64{parseNumber(e.attr["x"]), parseNumber(e.attr["y"])})
	ax := map[string]float64{"middle": 0.5, "end": 1}[l.anchor]
	turn := math.Atan2(l.m.b, l.m.a)
	if turn == 0 && len(r.clipped) > 0 {
		r.clippedText(text, l, face, x, y, ax)
		return
	}
	r.ctx.SetColor(l.through(l.fill))
	if turn != 0 {
		r.ctx.Push()
		defer r.ctx.Pop()
		r.ctx.RotateAbout(turn, x, y)
	}
	r.ctx.DrawStringAnchored(text, x, y, ax, 0)
}

// clippedText draws a text on a small picture with the same clips, and that on
// the large one: for each text that is clipped, gg goes over its whole picture.
func (r *raster) clippedText(text string, l look, face xfont.Face, x, y, ax float64) {
	dst := r.ctx.Image().(draw.Image) // gg draws on an *image.RGBA
	width, _ := r.ctx.MeasureString(text)
	around := l.size * r.px // what letters reach beyond their place
	at := image.Rect(int(x-ax*width-around), int(y-2*around), int(x+(1-ax)*width+around)+1, int(y+around)+1).Intersect(dst.Bounds())
	if at.Empty() {
		return
	}
	over := *r
	over.ctx, over.w, over.h = gg.NewContext(at.Dx(), at.Dy()), float64(at.Dx()), float64(at.Dy())
	aside := matrix{a: 1, d: 1, e: -float64(at.Min.X), f: -float64(at.Min.Y)}
	over.clipped = make([]clipping, len(r.clipped))
	for i, c := range r.clipped {
		over.clipped[i] = clipping{c.d, aside.then(c.m)}
	}
	over.clip()
	over.ctx.SetFontFace(face)
	over.ctx.SetColor(l.through(l.fill))
	over.ctx.DrawStringAnchored(text, x+aside.e, y+aside.f, ax, 0)
	draw.Draw(dst, at, over.ctx.Image(), image.Point{}, draw.Over)
}

// through returns a colour as one sees through it what is behind: that of an
// element which is not opaque by itself. A group's opacity is its picture's.
func (l look) through(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	return color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(l.opacity*255 + 0.5)}
}

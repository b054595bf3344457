package wire

import (
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// element is one of a picture, as encoding/xml reads it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) find(fits func(*element) bool) *element {
	if fits(e) {
		return e
	}
	for i := range e.Children {
		if found := e.Children[i].find(fits); found != nil {
			return found
		}
	}
	return nil
}

func numbers(t *testing.T, text string) (out []float64) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		f, err := strconv.ParseFloat(word, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

var (
	entity  = regexp.MustCompile(`&[^;]*;`)
	dotted  = regexp.MustCompile(`[0-9]\.[0-9]`)
	harmful = regexp.MustCompile(`<script|<foreignObject|<!|<\?|javascript:| on[a-z]+=| style=|url\([^#]|="`)
)

// What the document promises of the SVG holds for every kind of chart.
func TestThePromisesOfTheSVG(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkPromises(t, kind) })
		})
	}
}

func checkPromises(t *testing.T, kind string) {
	c := newChart(t, kind)
	const newest = 23.5
	last := int64(0)
	for i, v := range []float64{20, 22, 25, 21, newest} {
		last = c.now - 10
		c.put(t, "a", last, v)
		c.put(t, "'<b onload=x>'", last, 10+float64(i))
		c.frame(t)
		c.now += 500
	}
	c.now -= 500
	text := string(svg(c.frame(t)))

	body := regexp.MustCompile(`<style.*</style>`).ReplaceAllString(text, "")
	if bad := harmful.FindString(regexp.MustCompile(`>[^<]*<|data-(?:name|entry)='[^']*'`).ReplaceAllString(body, "><")); bad != "" {
		t.Errorf("%q in %s", bad, body)
	}
	for _, e := range entity.FindAllString(text, -1) {
		if !slices.Contains([]string{"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"}, e) {
			t.Errorf("the entity %s", e)
		}
	}
	for _, d := range regexp.MustCompile(` (d|transform|x|y|viewBox)='([^']*)'`).FindAllString(body, -1) {
		if dotted.MatchString(d) {
			t.Errorf("a coordinate that is no integer in%s", d)
		}
	}

	var root element
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	wantKind := kind
	if kind == "stack" {
		wantKind = "area"
	}
	if root.attr("viewBox") != "0 0 2400 1600" || root.attr("data-kind") != wantKind || root.attr("data-unit") != "short" {
		t.Errorf("the root is %v", root.Attrs)
	}
	for _, name := range []string{"title", "desc", "style"} {
		if root.find(func(e *element) bool { return e.XMLName.Local == name && e.Text != "" }) == nil {
			t.Errorf("no <%s>", name)
		}
	}
	y := numbers(t, root.attr("data-y"))
	if len(y) != 2 || y[0] >= y[1] {
		t.Fatalf("the value axis is %q", root.attr("data-y"))
	}
	if root.attr("data-xs") == "" {
		checkReadings(t, &root)
		return
	}

	rect := numbers(t, root.attr("data-rect"))
	x0, xs := numbers(t, root.attr("data-x0"))[0], numbers(t, root.attr("data-xs"))[0]
	series := root.find(func(e *element) bool { return e.attr("data-name") == "room a" })
	moving := root.find(func(e *element) bool { return e.attr("data-k") == "x" })
	if series == nil || moving == nil || moving.find(func(e *element) bool { return e.attr("data-name") == "room a" }) == nil {
		t.Fatalf("the series is not in the group that moves: %s", body)
	}
	paths := series.Children
	px, py := end(t, paths[len(paths)-1].attr("d"))
	value := newest
	if kind == "stack" { // the sum up to this series; the other one comes first by name
		value += 14
	}
	wantX, wantY := (float64(last)-x0)*xs, rect[1]+rect[3]-(value-y[0])/(y[1]-y[0])*rect[3]
	if math.Abs(px-wantX) > 1 || math.Abs(py-wantY) > 1 {
		t.Errorf("the newest value %g stands at %g,%g; by the document at %g,%g", value, px, py, wantX, wantY)
	}
	// The present is at the right edge.
	var shift float64
	if _, err := fmt.Sscanf(moving.attr("transform"), "translate(%g)", &shift); err != nil {
		t.Fatal(err)
	}
	if now := (float64(c.now)-x0)*xs + shift; math.Abs(now-rect[0]-rect[2]) > 1 {
		t.Errorf("now stands at %g, the rectangle ends at %g", now, rect[0]+rect[2])
	}
}

// checkReadings looks at a kind that has its values as text.
func checkReadings(t *testing.T, root *element) {
	t.Helper()
	for i, want := range [][2]string{{"room '<b onload=x>'", "14.0"}, {"room a", "23.5"}} {
		n := strconv.Itoa(i)
		name := root.find(func(e *element) bool { return e.attr("data-k") == "n"+n })
		value := root.find(func(e *element) bool { return e.attr("data-k") == "v"+n })
		if name == nil || value == nil || !strings.HasPrefix(want[0], strings.TrimSuffix(name.Text, "…")) || value.Text != want[1] {
			t.Errorf("series %d is %v %v, want %v", i, name, value, want)
		}
	}
}

// end follows a path to its last point, in the commands that charts use.
func end(t *testing.T, d string) (x, y float64) {
	t.Helper()
	d = regexp.MustCompile(`(V-?[0-9]+)+$`).ReplaceAllString(d, "") // an area's way back
	for _, cmd := range regexp.MustCompile(`([A-Za-z])([^A-Za-z]*)`).FindAllStringSubmatch(d, -1) {
		ns := numbers(t, strings.ReplaceAll(cmd[2], "-", " -"))
		for i, n := range ns {
			switch {
			case cmd[1] == "M" && i == 0:
				x = n
			case cmd[1] == "M" || cmd[1] == "V":
				y = n
			case cmd[1] == "h" || cmd[1] != "v" && i%2 == 0:
				x += n
			default:
				y += n
			}
		}
	}
	return x, y
}

package wire

import (
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

// A mirror asks for one resync when a patch does not fit, and shows what it
// showed until the full comes.
func TestAMirrorAsksOnce(t *testing.T) {
	const svg = "<svg xmlns='http://www.w3.org/2000/svg'><path data-k='a' d='M0 0'/></svg>"
	full := Full{V: "v", Pos: Pos{E: "e", R: 5}, SVG: svg}
	good := Patch{V: "v", Pos: Pos{E: "e", R: 6}, Base: 5, Ops: []plotting.Op{{Code: plotting.OpAppend, Key: "a", Text: []byte("h9")}}}
	with := func(change func(p *Patch)) Patch {
		p := good
		change(&p)
		return p
	}
	for name, bad := range map[string]Patch{
		"another base":     with(func(p *Patch) { p.Base, p.Pos.R = 6, 7 }),
		"an older base":    with(func(p *Patch) { p.Base = 4 }),
		"another epoch":    with(func(p *Patch) { p.Pos.E = "f" }),
		"an unknown key":   with(func(p *Patch) { p.Ops = []plotting.Op{{Code: plotting.OpDelete, Key: "b"}} }),
		"an unknown op":    with(func(p *Patch) { p.Ops = []plotting.Op{{Code: 'z', Key: "a"}} }),
		"half a good one":  with(func(p *Patch) { p.Ops = append(p.Ops, plotting.Op{Code: plotting.OpText, Key: "a"}) }),
		"too much dropped": with(func(p *Patch) { p.Ops = []plotting.Op{{Code: plotting.OpAppend, Key: "a", Drop: 99}} }),
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMirror("v")
			step := func(msg ServerMessage, wantResync, wantErr bool, want string) {
				t.Helper()
				resync, err := m.Take(msg)
				if resync != wantResync || (err != nil) != wantErr || string(m.SVG()) != want {
					t.Fatalf("resync %v, %v, showing %s; want %v, %v, %s", resync, err, m.SVG(), wantResync, wantErr, want)
				}
			}
			step(OK{V: "v"}, false, false, "")
			step(full, false, false, svg)
			step(Full{V: "w", Pos: Pos{E: "x", R: 1}, SVG: "no"}, false, false, svg)
			step(bad, true, true, svg)
			step(bad, false, false, svg)
			step(good, false, false, svg) // fits, but the full is on its way
			full := full
			full.Pos = Pos{E: "g", R: 9}
			step(full, false, false, svg)
			if m.Pos() != full.Pos || m.Frame().Epoch != "g" {
				t.Errorf("at %v", m.Pos())
			}
			next := with(func(p *Patch) { p.Pos, p.Base = Pos{E: "g", R: 10}, 9 })
			step(next, false, false, "<svg xmlns='http://www.w3.org/2000/svg'><path data-k='a' d='M0 0h9'/></svg>")
		})
	}
	t.Run("before any full", func(t *testing.T) {
		m := NewMirror("v")
		if resync, err := m.Take(good); !resync || err == nil || m.SVG() != nil {
			t.Errorf("resync %v, %v", resync, err)
		}
	})
	t.Run("a full that cannot be read", func(t *testing.T) {
		m := NewMirror("v")
		if resync, err := m.Take(Full{V: "v", Pos: Pos{E: "e", R: 1}, SVG: "<html>"}); resync || err == nil || m.Pos() != (Pos{}) {
			t.Errorf("resync %v, %v", resync, err)
		}
	})
}

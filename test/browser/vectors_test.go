package browser

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/web"
)

// scripts serves the page's files alone, and an empty page to run them in.
func scripts(t *testing.T) string {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(web.Static()))
	mux.HandleFunc("/blank", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>blank</title><link rel=icon href=data:,>"))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestVectors follows the frames that pkg/wire wrote down as its own mirror
// does.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("../../pkg/wire/testdata/frames/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	b := open(t, look{})
	b.goTo(scripts(t) + "/blank")
	b.do(`const { View } = await import("/chartd/view.js");
		const { Picture } = await import("/chartd/patch.js");
		console.warn = () => {}; // says what it asks again for
		const write = (picture) => new XMLSerializer().serializeToString(picture.root);
		window.follow = (vector) => {
			let asked = 0, shown = null;
			const face = { show: (_, p) => { shown = p }, moved() {}, fire() {}, changed() {}, altered() {} };
			const twin = { face: { ...face, show() {} }, view: null }; // two places show it
			const view = new View("c", {}, false, () => asked++);
			view.id = vector.v;
			view.add({ face, view: null });
			view.add(twin);
			const wrong = [];
			for (const [i, step] of vector.steps.entries()) {
				asked = 0;
				const messages = [step.message].flat().filter((m) => m.v === vector.v && (m.t === "full" || m.t === "patch"));
				for (const m of messages) view.push(m);
				view.flush();
				const say = (what, got, want) => wrong.push("step " + i + " (" + step.about + "): " + what + ": " + got + "; want " + want);
				if (asked !== (step.resync ? 1 : 0)) say("asked for a full", asked, step.resync ?? false);
				if (!step.svg) continue;
				const want = write(Picture.parse(step.svg));
				if (!shown || write(shown) !== want) say("shows", shown && write(shown), want);
				if (view.pos && (view.pos.e !== step.e || view.pos.r !== step.r)) say("is at", JSON.stringify(view.pos), step.e + "/" + step.r);
			}
			const late = { face: { ...face, show: (_, p) => { shown = p } }, view: null };
			const before = shown && write(shown);
			view.add(late);
			if (before && write(shown) !== before) wrong.push("a place that comes late shows something else");
			return wrong;
		};`)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			vector, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range eval[[]string](b, "return follow("+string(vector)+")") {
				t.Error(wrong)
			}
		})
	}
}

// TestUnits compares how the page writes values with how the server does.
func TestUnits(t *testing.T) {
	type value struct {
		V    float64       `json:"v"`
		Unit plotting.Unit `json:"unit"`
		Want string        `json:"want"`
	}
	r := rand.New(rand.NewPCG(1, 2))
	var values []value
	for _, u := range append(plotting.Units(), "rpm") {
		for _, v := range []float64{0, 1, -1, 0.5, 999, 1000, 1023, 1024, 0.1, 100, 59, 60, 3600} {
			values = append(values, value{V: v, Unit: u})
		}
		for range 300 {
			v := math.Pow(10, r.Float64()*16-4) * float64(1-2*r.IntN(2))
			values = append(values, value{V: v, Unit: u})
		}
	}
	for i, v := range values {
		values[i].Want = v.Unit.Value(v.V)
	}
	list, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, look{})
	b.goTo(scripts(t) + "/blank")
	wrong := eval[[]string](b, `const { write } = await import("/chartd/units.js");
		return `+string(list)+`.filter(({ v, unit, want }) => write(v, unit) !== want)
			.map(({ v, unit, want }) => v + " " + unit + ": " + write(v, unit) + "; want " + want)`)
	for _, w := range wrong[:min(len(wrong), 20)] {
		t.Error(w)
	}
}

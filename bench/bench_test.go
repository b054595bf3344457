package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/chartd/chartd/bench/internal/figures"
)

// TestMain lets the test's own binary be a worker, as bench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "-worker" {
		if err := work(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRows measures the rows that need nothing but Go, in processes of their
// own, and looks at what they drew.
func TestRows(t *testing.T) {
	for _, tt := range []struct {
		worker []string
		mode   string
		svg    bool
		size   [2]float64 // bytes: from, to
	}{
		{[]string{"chartd", "1000"}, modeTick, true, [2]float64{100, 400}},
		{[]string{"chartd", "1000"}, modeFull, true, [2]float64{10_000, 60_000}},
		{[]string{"chartd", "1000"}, modeOpen, true, [2]float64{10_000, 60_000}},
		{[]string{"gonum"}, "redraw", true, [2]float64{30_000, 120_000}},
		{[]string{"go-chart"}, "redraw", true, [2]float64{30_000, 120_000}},
		{[]string{"numbers"}, "redraw", false, [2]float64{20_000, 60_000}},
		{[]string{"samples"}, "redraw", false, [2]float64{30, 40}},
	} {
		t.Run(strings.Join(tt.worker, " ")+" "+tt.mode, func(t *testing.T) {
			p, err := launch(t.Context(), self(tt.worker...)...)
			if err != nil {
				t.Fatal(err)
			}
			r := &row{name: tt.worker[0], process: p, mode: tt.mode, n: 5}
			for range 3 {
				if err := r.measure(); err != nil {
					t.Fatal(err)
				}
			}
			if len(r.sizes) != 15 || len(r.us) != 3 {
				t.Errorf("%d sizes, %d times; want 15, 3", len(r.sizes), len(r.us))
			}
			if m := figures.Median(r.sizes); m < tt.size[0] || m > tt.size[1] {
				t.Errorf("median of %v bytes; want %v", m, tt.size)
			}
			path := t.TempDir() + "/picture"
			if err := p.ask(&struct{}{}, "draw %s", path); err != nil {
				t.Fatal(err)
			}
			if err := p.stop(); err != nil {
				t.Error(err)
			}
			picture, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if tt.svg {
				checkSVG(t, string(picture))
			}
		})
	}
}

// checkSVG fails unless the picture is XML and names the series.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		if !strings.Contains(svg, name) {
			t.Errorf("the picture does not name %s", name)
		}
	}
}

func TestUnknownWorker(t *testing.T) {
	if p, err := launch(t.Context(), self("nobody")...); err == nil {
		t.Errorf("a worker that does not exist started: %v", p.stop())
	}
}

// TestCalibrate lets a round take about as long as it shall.
func TestCalibrate(t *testing.T) {
	p, err := launch(t.Context(), self("numbers")...)
	if err != nil {
		t.Fatal(err)
	}
	r := &row{process: p, mode: "redraw"}
	if err := r.calibrate(); err != nil {
		t.Fatal(err)
	}
	if r.n < 10 { // a refresh takes about 0.1 ms
		t.Errorf("%d refreshes in %v", r.n, budget)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

// TestRender draws this machine's processors, as the usage promises, into both
// kinds of files.
func TestRender(t *testing.T) {
	dir := t.TempDir()
	svg, pic := filepath.Join(dir, "cpu.svg"), filepath.Join(dir, "cpu.png")
	if got := chartd(t, nil, "", "render", "cpu", "-o", svg, "--for", "3s", "--size", "600x300"); got.code != 0 || got.err != "" {
		t.Fatalf("%+v", got)
	}
	data, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := plotting.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if frame.Len() < 10 {
		t.Errorf("the picture has %d nodes", frame.Len())
	}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"user", "system", "viewBox='0 0 6000 3000'"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the picture lacks %q", want)
		}
	}

	if got := chartd(t, nil, "", "render", "-o", pic, "cpu", "--for", "2500ms", "--theme", "dark"); got.code != 0 || got.err != "" {
		t.Fatalf("%+v", got)
	}
	f, err := os.Open(pic)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 800 || b.Dy() != 400 {
		t.Errorf("the picture is %v", b)
	}
}

func TestRenderPushed(t *testing.T) {
	file := writeFile(t, "c.yaml", "charts: {a: {title: Rooms, series: [{metric: m}]}}\n")
	got := chartd(t, nil, "", "render", "--config", file, "a", "-o", "-", "--for", "100ms")
	if got.code != 0 || !strings.Contains(got.out, "Rooms") || !strings.Contains(got.err, "the picture is empty") {
		t.Errorf("%+v", got)
	}
}

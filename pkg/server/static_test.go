package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAssetIsSentOnce(t *testing.T) {
	body := []byte(strings.Repeat("export const x = 1;\n", 200))
	a := newAsset(body, contentType("chartd.js"))
	get := func(header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/chartd.js", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		a.serve(w, r)
		return w
	}
	plain := get()
	if plain.Code != http.StatusOK || !bytes.Equal(plain.Body.Bytes(), body) || plain.Header().Get("Content-Encoding") != "" {
		t.Fatalf("plain: %d, %d bytes, %v", plain.Code, plain.Body.Len(), plain.Header())
	}
	packed := get("Accept-Encoding", "br, gzip;q=0.8")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > len(body)/4 {
		t.Fatalf("packed: %d bytes, %v", packed.Body.Len(), packed.Header())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, body) {
		t.Fatalf("unpacked %d bytes, %v", len(unpacked), err)
	}
	if plain.Header().Get("ETag") == packed.Header().Get("ETag") {
		t.Fatal("both forms have the same strong validator")
	}
	for _, form := range []*httptest.ResponseRecorder{plain, packed} {
		again := get("Accept-Encoding", form.Header().Get("Content-Encoding"), "If-None-Match", form.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Fatalf("again: %d, %d bytes", again.Code, again.Body.Len())
		}
	}
	if got := get("Accept-Encoding", "gzip;q=0"); got.Header().Get("Content-Encoding") != "" {
		t.Fatal("packed for a client that refuses it")
	}
	part := get("Accept-Encoding", "gzip", "Range", "bytes=0-5")
	if part.Code != http.StatusPartialContent || part.Body.String() != "export" {
		t.Fatalf("part: %d %q", part.Code, part.Body)
	}
}

func TestEveryAssetHasAType(t *testing.T) {
	for name, want := range map[string]string{
		"chartd.js": "text/javascript; charset=utf-8", "a.css": "text/css; charset=utf-8", "a.html": "text/html; charset=utf-8",
		"a.svg": "image/svg+xml", "a.png": "image/png", "favicon.ico": "image/x-icon", "a.webmanifest": "application/manifest+json",
		"LICENSE": "application/octet-stream",
	} {
		if got := contentType(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

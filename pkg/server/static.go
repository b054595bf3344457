package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// asset is one embedded file, ready to be sent.
type asset struct {
	body        []byte
	zipped      []byte // nil if that would not be smaller
	etag        string
	contentType string
}

// loadAssets reads every file of the embedded web directory, once, at start:
// there are few, and they never change while the process lives.
func loadAssets(files fs.FS) (map[string]*asset, error) {
	assets := make(map[string]*asset)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		assets[name] = newAsset(body, contentType(name))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded pages: %w", err)
	}
	return assets, nil
}

func newAsset(body []byte, contentType string) *asset {
	a := &asset{body: body, etag: etag(body), contentType: contentType}
	if !strings.HasPrefix(contentType, "image/") || strings.HasPrefix(contentType, "image/svg") {
		a.zipped = zipped(body)
	}
	return a
}

// contentType does not ask the machine's MIME tables first: they differ, and
// a module with the wrong type does not run.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// etag returns a strong validator of the bytes.
func etag(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// zipped returns the gzip form of b, or nil if it saves too little to be worth
// unpacking.
func zipped(b []byte) []byte {
	if len(b) < 1024 {
		return nil
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		return nil
	}
	if err := z.Close(); err != nil || buf.Len() > len(b)*9/10 {
		return nil
	}
	return buf.Bytes()
}

// serve answers with the asset, or with 304 if the client has it already.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	body, tag := a.body, a.etag
	if a.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, tag = a.zipped, strings.TrimSuffix(a.etag, `"`)+`-gz"`
		}
	}
	h.Set("ETag", tag)
	// ServeContent compares If-None-Match and answers HEAD.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func acceptsGzip(r *http.Request) bool {
	// A range would be one of the packed bytes; nobody wants that.
	if r.Header.Get("Range") != "" {
		return false
	}
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, q, _ := strings.Cut(part, ";")
		if c := strings.TrimSpace(coding); c == "gzip" || c == "*" {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

package web_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/web"
)

var (
	imports    = regexp.MustCompile(`(?m)^import (?:[^"']* from )?"([^"]+)";$`)
	references = regexp.MustCompile(`(?:href|src)="([^"#]+)"`)
)

// TestReferences: every file that a page or a script names is there, by a
// relative path, so that chartd can be served in a folder by a proxy.
func TestReferences(t *testing.T) {
	static := web.Static()
	names, err := fs.Glob(static, "*")
	if err != nil {
		t.Fatal(err)
	}
	more, err := fs.Glob(static, "*/*")
	if err != nil {
		t.Fatal(err)
	}
	deep, err := fs.Glob(static, "*/*/*")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range slices.Concat(names, more, deep) {
		var pattern *regexp.Regexp
		dir := path.Dir(name)
		switch path.Ext(name) {
		case ".js":
			pattern = imports
		case ".html":
			pattern = references
			if name == web.ChartPage {
				dir = "c" // it is served there
			}
		default:
			continue
		}
		text, err := fs.ReadFile(static, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			seen++
			if !strings.HasPrefix(m[1], "./") && !strings.HasPrefix(m[1], "../") {
				t.Errorf("%s names %q; want a relative path", name, m[1])
				continue
			}
			if target := path.Join(dir, m[1]); !strings.HasSuffix(m[1], "/") {
				if target == "wall" {
					target = web.WallPage // it is served there
				}
				if _, err := fs.Stat(static, target); err != nil {
					t.Errorf("%s names %q: %v", name, m[1], err)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("found %d references only", seen)
	}
}

// TestEntryImportsAll: the entry names every module, so that none waits for
// another to be fetched.
func TestEntryImportsAll(t *testing.T) {
	static := web.Static()
	entry, err := fs.ReadFile(static, "chartd.js")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := fs.Glob(static, "chartd/*.js")
	if err != nil || len(modules) == 0 {
		t.Fatalf("no modules: %v", err)
	}
	touch, err := fs.Glob(static, "chartd/touch/*.js")
	if err != nil || len(touch) == 0 {
		t.Fatalf("no modules of touch: %v", err)
	}
	modules = append(modules, touch...)
	for _, m := range modules {
		if !strings.Contains(string(entry), `"./`+m+`";`) {
			t.Errorf("chartd.js does not import %s", m)
		}
	}
}

// TestPages: all pages are there, and none has a script or a style in it,
// which the policy they are served with would refuse.
func TestPages(t *testing.T) {
	inline := regexp.MustCompile(`<style|<script(?:\s+type="module")?>|\son[a-z]+=|\sstyle=`)
	for _, name := range []string{web.GalleryPage, web.ChartPage, web.WallPage} {
		text, err := fs.ReadFile(web.Static(), name)
		if err != nil {
			t.Fatal(err)
		}
		if m := inline.Find(text); m != nil {
			t.Errorf("%s has %q in it", name, m)
		}
	}
}

package docs_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestHTTP holds README's table of paths to the patterns in the code.
func TestHTTP(t *testing.T) {
	pattern := regexp.MustCompile(`"(GET|POST) (/[a-z0-9/._-]*)`)
	_, text, _ := strings.Cut(read(t, readme), "\n## HTTP\n")
	text, _, _ = strings.Cut(text, "\n## ")
	seen := 0
	err := fs.WalkDir(os.DirFS("../pkg"), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, m := range pattern.FindAllStringSubmatch(read(t, "../pkg/"+path), -1) {
			seen++
			if !strings.Contains(text, "`"+m[1]+" "+m[2]) {
				t.Errorf("README's HTTP does not name %s %s of pkg/%s", m[1], m[2], path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 8 {
		t.Errorf("found only %d patterns in pkg", seen)
	}
}

// Package docs_test holds the documents to the code: what they name exists, what they show works, and their tables are written from the code.
package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source/builtin"
)

var update = flag.Bool("update", false, "write the generated tables into README.md")

const readme = "../README.md"

// documents returns the Markdown files by their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"../*.md", "../pkg/*/*.md", "../examples/*.md", "../configs/*.md", "../bench/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			docs[p] = read(t, p)
		}
	}
	if len(docs) < 4 {
		t.Fatalf("found only %d documents", len(docs))
	}
	return docs
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	linkPattern    = regexp.MustCompile(`(?:\]\(|src="|srcset="|href=")([^)"\s]+)`)
	headingPattern = regexp.MustCompile("(?m)^#+ (.*)$")
	blockPattern   = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	codePattern    = regexp.MustCompile("`[^`\n]*`")
)

// TestLinks checks that every relative link leads to a file, and every anchor to a heading.
func TestLinks(t *testing.T) {
	for path, text := range documents(t) {
		prose := codePattern.ReplaceAllString(blockPattern.ReplaceAllString(text, ""), "")
		for _, m := range linkPattern.FindAllStringSubmatch(prose, -1) {
			link, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(link, "://") {
				continue
			}
			target := path
			if link != "" {
				target = filepath.Join(filepath.Dir(path), link)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", path, m[1])
				continue
			}
			if anchor != "" && !hasHeading(read(t, target), anchor) {
				t.Errorf("%s: no heading for the anchor of %s", path, m[1])
			}
		}
	}
}

// hasHeading reports whether a heading of the Markdown text has this anchor, as GitHub makes it: the second of the same words ends in -1.
func hasHeading(text, anchor string) bool {
	seen := map[string]int{}
	for _, m := range headingPattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(text, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		n := seen[slug]
		if seen[slug]++; n > 0 {
			slug += "-" + strconv.Itoa(n)
		}
		if slug == anchor {
			return true
		}
	}
	return false
}

// environment has every secret that a document takes from there, and what the system has.
func environment(name string) (string, bool) {
	if strings.HasSuffix(name, "_TOKEN") || strings.HasSuffix(name, "_SECRET") {
		return "a secret of 32 bytes and more: " + name, true
	}
	return os.LookupEnv(name)
}

// TestYAML loads every YAML block that is a whole configuration.
func TestYAML(t *testing.T) {
	loaded := 0
	for path, text := range documents(t) {
		for i, m := range blockPattern.FindAllStringSubmatch(text, -1) {
			if m[1] != "yaml" {
				continue
			}
			if _, err := config.Parse(filepath.Base(path), []byte(m[2]), builtin.Kinds(), environment); err != nil {
				t.Errorf("%s, block %d: %v", path, i+1, err)
			}
			loaded++
		}
	}
	if loaded == 0 {
		t.Error("no document shows a configuration")
	}
}

// TestProgram compiles README's program as a package of this module, with README's configuration beside it.
func TestProgram(t *testing.T) {
	var program string
	for _, m := range blockPattern.FindAllStringSubmatch(read(t, readme), -1) {
		if m[1] == "go" {
			program = m[2]
		}
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, "program", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "program"), "./program")
}

package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestExamplesSayHow holds that each example says in its first line what it shows,
// and in the second how to run it and what has to run beside it. That each loads
// is held by pkg/config.
func TestExamplesSayHow(t *testing.T) {
	files, err := filepath.Glob("../configs/examples/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	shows := regexp.MustCompile(`^# [A-Z$].{20,}\.$`)
	for _, file := range files {
		lines := strings.Split(read(t, file), "\n")
		if !shows.MatchString(lines[0]) {
			t.Errorf("%s: the first line is %q; want a sentence that says what it shows", file, lines[0])
		}
		run := "# Run it: chartd --config configs/examples/" + filepath.Base(file)
		beside, ok := strings.CutPrefix(lines[1], run)
		switch {
		case !ok:
			t.Errorf("%s: the second line is %q; want %q, and what must run beside it", file, lines[1], run)
		case beside == "":
		case !strings.HasPrefix(beside, ", ") && !strings.HasPrefix(beside, " ("):
			t.Errorf("%s: %q follows the command; want a comma, or what it shows in brackets", file, beside)
		case strings.HasSuffix(beside, ":"):
			// The command itself, after an empty line, indented.
			if len(lines) < 4 || lines[2] != "#" || !strings.HasPrefix(lines[3], "#   ") {
				t.Errorf("%s: nothing follows %q", file, beside)
			}
		}
	}
}

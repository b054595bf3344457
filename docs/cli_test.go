package docs_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCLI holds README's command line to what chartd itself says.
func TestCLI(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "chartd")
	run(t, "go", "build", "-o", bin, "../cmd/chartd")
	text := run(t, bin, "help")
	var b strings.Builder
	block(&b, text)
	flags := regexp.MustCompile(`(?m)^Flags:$`)
	commands := regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(text, -1)
	if len(commands) < 5 {
		t.Fatalf("found only %d commands in:\n%s", len(commands), text)
	}
	for _, m := range commands {
		one := run(t, bin, "help", m[1])
		if flags.MatchString(one) {
			b.WriteString("\n")
			block(&b, one)
		}
	}
	section(t, "cli", strings.TrimSpace(b.String()))
}

func block(b *strings.Builder, text string) {
	b.WriteString("```text\n" + strings.TrimSpace(text) + "\n```\n")
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(cmd.Environ(), "CHARTD_CONFIG=", "CHARTD_LISTEN=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

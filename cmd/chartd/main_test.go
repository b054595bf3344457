package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is chartd as it is built for people.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chartd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "chartd")
	if out, err := exec.Command("go", "build", "-ldflags", "-X main.version=1.2.3-test", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// result is how a command ended.
type result struct {
	out, err string
	code     int
}

// chartd runs the binary; env is all that it finds in its environment.
func chartd(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || ok && exit.ExitCode() < 0 {
		t.Fatalf("chartd %q: %v\n%s", args, err, stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLine(t *testing.T) {
	const one = "charts: {a: {series: [{metric: m}]}}\n"
	good := writeFile(t, "good.yaml", one)
	bad := writeFile(t, "bad.yaml", "charts:\n  a: {seris: []}\n  b:\n    kind: pie\n    series: [{metric: m}]\n")
	tests := []struct {
		args     []string
		env      []string
		in       string
		code     int
		out, err string // what each must contain; "" is nothing at all
	}{
		{args: []string{"help"}, out: "Usage: chartd [command] [flags]"},
		{args: []string{"-h"}, out: "CHARTD_LISTEN"},
		{args: []string{"--help"}, out: "healthcheck"},
		{args: []string{"help", "render"}, out: "--window TIME"},
		{args: []string{"render", "--help"}, out: "a few seconds"},
		{args: []string{"serve", "-h"}, out: "--config FILE"},
		{args: []string{"version"}, out: "chartd 1.2.3-test"},
		{args: []string{"--version"}, out: "chartd 1.2.3-test"},
		{args: []string{"schema"}, out: `"title": "chartd configuration"`},
		{args: []string{"validate", good}, out: "ok: 1 chart, 4 sources\n"},
		{args: []string{"validate", "-"}, in: one, out: "ok: 1 chart, 4 sources\n"},
		{args: []string{"validate", "../../configs/chartd.yaml"}, out: "charts, 5 sources\n"},
		{args: []string{"validate", bad}, code: 1, err: bad + `:2:7: charts.a: unknown key "seris"; did you mean "series"?` + "\n" + bad + `:4:11: charts.b.kind: `},
		{args: []string{"validate", "-"}, in: "a: [", code: 1, err: "stdin:2:1: a value is missing"},
		{args: []string{"validate", "-"}, in: "listen: ${NAME}\n", env: []string{"NAME=:1"}, out: "ok: 0 charts, 4 sources\n"},
		{args: []string{"validate", "-"}, in: "listen: ${NAME}\n", code: 1, err: "stdin:1:9: listen: the environment variable NAME is not set"},
		{args: []string{"validate", "-"}, in: "charts: {a: {series: [{metric: host_load}]}}\n", out: "note: charts.a.series[0]: host_load comes from a source of type host"},
		{args: []string{"validate", "-"}, in: "sources: {h: {type: host}}\ncharts: {a: {series: [{metric: host_laod}]}}\n", out: `no host_laod; did you mean "host_load"?`},
		{args: []string{"validate", "-"}, in: "charts:\n", out: "note: there is no chart"},
		{args: []string{"validate", "-"}, in: "charts:\n  a:\n  title: A\n  series: [{metric: m}]\n", code: 1, err: `if "title" belongs to the name above it, indent it`},
		{args: []string{"validate", "."}, code: 1, err: "chartd: .: is a folder"},
		{args: []string{"validate", "/no/such.yaml"}, code: 1, err: "chartd: /no/such.yaml: there is no such file"},
		{args: []string{"serve", "--config", bad}, code: 1, err: bad + ":2:7: "},
		{env: []string{"CHARTD_CONFIG=" + bad}, code: 1, err: bad + ":2:7: "},
		{args: []string{"healthcheck"}, env: []string{"CHARTD_CONFIG=" + bad}, code: 1, err: bad + ":2:7: "},
		{args: []string{"render", "--config", good, "b", "-o", "x.svg"}, code: 1, err: `no chart "b"`},
		{args: []string{"healthcheck", "--listen", "127.0.0.1:1"}, code: 1, err: "connection refused"},

		{args: []string{"validate", good, "--set", "charts.a.kind=bar", "--set", "server.max_connections=7"}, out: "ok: 1 chart, 4 sources\n"},
		{args: []string{"validate", good, "--set", "server.max_conections=7"}, code: 1, err: `--set server.max_conections: server: unknown key "max_conections"; did you mean "max_connections"?`},
		{args: []string{"validate", good, "--set", "server.max_connections=many"}, code: 1, err: "--set server.max_connections: is the text \"many\"; want a whole number\n"},
		{args: []string{"validate", bad, "--set", "charts.b.kind=bar", "--set", "listen=8080"}, code: 1, err: "--set listen: \"8080\" is a port without a colon"},
		{args: []string{"serve", "--set", "session.ttl=soon"}, code: 1, err: "--set session.ttl: "},
		{args: []string{"render", "--set", "store.max_series=0", "cpu", "-o", "x.svg"}, code: 1, err: "--set store.max_series: "},
		{args: []string{"serve", "--set", "listen"}, code: 2, err: "write KEY=VALUE"},
		{args: []string{"healthcheck", "--set", "listen=127.0.0.1:1"}, code: 1, err: "connection refused"},

		{args: []string{"pipe", "--exit", "--listen", "127.0.0.1:0"}, in: "a,b\n1,2\n", out: "a,b\n1,2\n", err: "chartd is live at http://127.0.0.1:"},
		{args: []string{"pipe", "--exit"}, env: []string{"CHARTD_LISTEN=127.0.0.1:0"}, in: "words\n", code: 1, out: "words\n", err: "--match"},
		{args: []string{"pipe", "--match", "time=", "--listen", ":0"}, code: 2, err: "--match: the regular expression has no group"},
		{args: []string{"pipe", "data.csv"}, code: 2, err: "the lines come from the standard input"},

		{args: []string{"sevre"}, code: 2, err: `did you mean "serve"?`},
		{args: []string{"help", "sevre"}, code: 2, err: `did you mean "serve"?`},
		{args: []string{"--confg", "x"}, code: 2, err: `chartd serve: there is no flag --confg; did you mean "--config"?`},
		{args: []string{"version", "--short"}, code: 2, err: "no flag --short, and no other"},
		{args: []string{"validate", "--config", "x"}, code: 2, err: "chartd validate FILE\nRun \"chartd help validate\""},
		{args: []string{"room.yaml"}, code: 2, err: "chartd serve --config room.yaml"},
		{args: []string{"serve", "x.yaml"}, code: 2, err: "--config"},
		{args: []string{"serve", "--listen", "8080"}, code: 2, err: `write ":8080"`},
		{env: []string{"CHARTD_LISTEN=nowhere"}, code: 2, err: "--listen"},
		{args: []string{"validate"}, code: 2, err: "want one FILE"},
		{args: []string{"validate", "a", "b"}, code: 2, err: "want one FILE"},
		{args: []string{"version", "x"}, code: 2, err: `unexpected argument "x"`},
		{args: []string{"schema", "x"}, code: 2, err: `unexpected argument "x"`},
		{args: []string{"healthcheck", "x"}, code: 2, err: `unexpected argument "x"`},
		{args: []string{"healthcheck", "--listen", ":0"}, code: 2, err: "port 0"},
		{args: []string{"render", "cpu"}, code: 2, err: "want -o"},
		{args: []string{"render", "-o", "x.svg"}, code: 2, err: "CHART"},
		{args: []string{"render", "cpu", "-o", "x.gif"}, code: 2, err: ".svg nor in .png"},
		{args: []string{"render", "cpu", "-o", "x.svg", "--theme", "dark"}, code: 2, err: "--theme"},
		{args: []string{"render", "cpu", "-o", "x.png", "--theme", "pink"}, code: 2, err: "light or dark"},
		{args: []string{"render", "cpu", "-o", "x.png", "--size", "big"}, code: 2, err: "800x400"},
		{args: []string{"render", "cpu", "-o", "x.png", "--size", "1x1"}, code: 2, err: "size: 1 by 1 px"},
		{args: []string{"render", "cpu", "-o", "x.png", "--window", "soon"}, code: 2, err: "is not a duration"},
		{args: []string{"render", "cpu", "-o", "x.png", "--var", "host=a"}, code: 2, err: `no var "host"`},
		{args: []string{"render", "cpu", "-o", "x.png", "--var", "host"}, code: 2, err: "chartd render: --var: want NAME=VALUE"},
		{args: []string{"render", "cpu", "-o", "x.png", "--for", "soon"}, code: 2, err: `--for: "soon" is not a duration; write it as "500ms"`},
		{args: []string{"render", "cpu", "-o", "x.png", "--for", "0"}, code: 2, err: "--for: want a time above 0"},
		{args: []string{"render", "cpu", "-o"}, code: 2, err: "-o: want FILE behind it"},
		{args: []string{"callback", "--chart", "cpu", "--timeout", "0"}, code: 2, err: "--timeout: want a time above 0"},
		{args: []string{"healthcheck", "--timeout", "-1s"}, code: 2, err: "--timeout: want a time above 0"},
		{args: []string{"sign", "--chart", "cpu", "--sessions", "few"}, code: 2, err: `--sessions: "few" is not a whole number`},
		{args: []string{"pipe", "--exit=maybe"}, code: 2, err: `--exit: "maybe" is not true or false`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			got := chartd(t, tt.env, tt.in, tt.args...)
			if got.code != tt.code || !contains(got.out, tt.out) || !contains(got.err, tt.err) {
				t.Errorf("exit code %d, want %d\nstdout %q, want %q\nstderr %q, want %q", got.code, tt.code, got.out, tt.out, got.err, tt.err)
			}
		})
	}
}

// contains reports whether text has the part; it must have nothing if the part
// is empty.
func contains(text, part string) bool {
	if part == "" {
		return text == ""
	}
	return strings.Contains(text, part)
}

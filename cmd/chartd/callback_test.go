package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/session"
)

// A callback from a terminal reaches the handler, and its reply the terminal.
func TestCallback(t *testing.T) {
	cfg, err := daemon.Parse(`
listen: "127.0.0.1:0"
auth: {anonymous: {read: [open], callback: [open]}, tokens: [{name: op, token: 0123456789abcdef0123456789abcdef, read: ["*"], callback: ["*"]}]}
charts: {open: {series: [{metric: m}]}, closed: {series: [{metric: m}]}}
`)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg, daemon.WithCallback("open", func(ctx context.Context, call *session.Call) error {
		switch arg := call.ArgString(); arg {
		case "":
			return call.Reply("nothing")
		case "MyCustomArgs":
			return errors.Join(call.SetTitle("Mine"), call.Reply(map[string]string{"said": arg}))
		case `{"a":1}`:
			return call.Reply(1)
		case "hang":
			<-ctx.Done()
			return ctx.Err()
		case "fail":
			return errors.New("no disk")
		}
		return session.ErrNotHandled
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-d.Ready()
	listen := []string{"CHARTD_LISTEN=" + d.Addr().String()}
	for _, tt := range []struct {
		args     []string
		env      []string
		in       string
		code     int
		out, err string
	}{
		{args: []string{"--chart", "open", "MyCustomArgs"}, out: `{"said":"MyCustomArgs"}` + "\n"},
		{args: []string{"MyCustomArgs", "--chart", "open", "--url", d.URL()}, env: []string{}, out: `{"said":"MyCustomArgs"}` + "\n"},
		{args: []string{"MyCustomArgs", "--chart", "open"}, env: []string{"CHARTD_URL=" + d.URL()}, out: `{"said":"MyCustomArgs"}` + "\n"},
		{args: []string{"--chart", "open", "--json", `{"a":1}`}, out: "1\n"},
		{args: []string{"--chart", "open", "-"}, in: "MyCustomArgs\n", out: `{"said":"MyCustomArgs"}` + "\n"},
		{args: []string{"--chart", "open", "--json", "-"}, in: "{\"a\":1}\n", out: "1\n"},
		{args: []string{"--chart", "open"}, out: "\"nothing\"\n"},
		{args: []string{"--chart", "open", "--answer", "MyCustomArgs"}, out: `"svg":"/charts/open.svg?title=Mine"`},
		{args: []string{"--chart", "open", "what"}, code: 1, err: `no handler of chart "open" wants that argument`},
		{args: []string{"--chart", "open", "fail"}, code: 1, err: "chartd: no disk (callback_failed)"},
		{args: []string{"--chart", "closed", "x"}, code: 1, err: `no right to watch chart "closed" (forbidden)`},
		{args: []string{"--chart", "closed", "--json", `{"view":{"window":"9m"}}`, "--answer"}, env: append(listen, "CHARTD_TOKEN=0123456789abcdef0123456789abcdef"), out: `"window":"9m"`},
		{args: []string{"--chart", "open", "x", "--token", "wrong"}, code: 1, err: "chartd: 401 Unauthorized: nobody has this token: the one of CHARTD_TOKEN, or --token\n"},
		{args: []string{"--chart", "closed", "x", "--url", "http://127.0.0.1:1"}, code: 1, err: "chartd: http://127.0.0.1:1 does not answer: dial tcp 127.0.0.1:1: connect: connection refused; is chartd running there?"},
		{args: []string{"--chart", "open", "x", "--url", d.URL() + "elsewhere"}, code: 1, err: "404 Not Found: nothing takes a POST here; is " + d.URL() + "elsewhere the address of chartd"},
		{args: []string{"--chart", "open", "hang", "--timeout", "50ms"}, code: 1, err: " does not answer within 50ms (--timeout)\n"},
		{args: []string{"--chart", "open", "x", "--config", "testdata/none.yaml"}, env: []string{}, code: 1, err: "none.yaml: there is no such file\nso it is not known where chartd listens; --url, or CHARTD_URL, says it without that file\n"},
		{args: []string{"x"}, code: 2, err: "want --chart NAME"},
		{args: []string{"--chart", "open", "x", "y"}, code: 2, err: `unexpected argument "y"`},
		{args: []string{"--chart", "open", "--json", "x"}, code: 2, err: "is no JSON"},
		{args: []string{"--chart", "open", "--json"}, code: 2, err: "want ARG"},
		{args: []string{"--chart", "open", "--url", "localhost"}, code: 2, err: "--url: "},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			env := tt.env
			if env == nil {
				env = listen
			}
			got := chartd(t, env, tt.in, append([]string{"callback"}, tt.args...)...)
			if got.code != tt.code || !contains(got.out, tt.out) || !contains(got.err, tt.err) {
				t.Errorf("exit code %d, want %d\nstdout %q, want %q\nstderr %q, want %q", got.code, tt.code, got.out, tt.out, got.err, tt.err)
			}
		})
	}
}

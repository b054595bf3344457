package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/quantity"
)

// maxAnswer bounds the answer to a callback, in bytes.
const maxAnswer = 1 << 20

func callbackCommand() command {
	return command{
		name: "callback", args: "--chart NAME [--url ADDRESS] [--token TOKEN] [--json] [--answer] [ARG]",
		short: "raise a callback of a chart of a running chartd",
		long: `
Raises a callback as a page does with Chart1.callback(ARG), and writes what the
handler replies, as JSON, to the standard output. ARG is a text, or JSON with
--json; - reads it from the standard input; without it there is no argument.

chartd is asked at --url, or CHARTD_URL; otherwise at the address that serve, with
the same flags and environment, listens on. Where chartd asks who calls, say so
with CHARTD_TOKEN, which no list of processes shows, or --token.

What a callback changes is its caller's view, which ends here (--answer shows it,
with links to its picture), unless the chart has scope: shared. A callback that
no handler wants is a failure.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			c := caller{terminal: t, timeout: quantity.Duration(30 * time.Second)}
			c.file, c.listen = configFlag(t, fs), listenFlag(t, fs)
			fs.StringVar(&c.chart, "chart", "", "the `NAME` of the chart")
			fs.StringVar(&c.url, "url", "", "the `ADDRESS` of chartd, as https://charts.example.com")
			fs.StringVar(&c.token, "token", "", "the `TOKEN` to show, in place of CHARTD_TOKEN")
			fs.BoolVar(&c.json, "json", false, "ARG is JSON, not a text")
			fs.BoolVar(&c.answer, "answer", false, "write the whole answer, with the view and its links")
			fs.TextVar(&c.timeout, "timeout", c.timeout, "wait `TIME` for the answer")
			return c.run
		},
	}
}

// caller is what the command line of callback says.
type caller struct {
	terminal
	file, listen      *string
	chart, url, token string
	json, answer      bool
	timeout           quantity.Duration
}

func (c *caller) run(ctx context.Context, args []string) error {
	switch {
	case c.chart == "":
		return usageError{"want --chart NAME"}
	case c.timeout <= 0:
		return usageError{"--timeout: want a time above 0, as 30s"}
	case len(args) > 1:
		return usageError{fmt.Sprintf("unexpected argument %q; want one ARG, in quotes if it has spaces", args[1])}
	}
	body, err := c.argument(args)
	if err != nil {
		return err
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, c.timeout.Std())
	defer cancel()
	status, answer, err := c.ask(within, base+"/api/v1/charts/"+url.PathEscape(c.chart)+"/callback", body)
	switch {
	case ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s does not answer within %v (--timeout)", base, c.timeout)
	case err != nil:
		return fmt.Errorf("%s does not answer: %w; is chartd running there? Another address is --url, or CHARTD_URL", base, err)
	case status != http.StatusOK:
		return errors.New(c.whyNot(base, status, answer))
	}
	var told struct {
		Handled bool            `json:"handled"`
		Reply   json.RawMessage `json:"reply"`
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return fmt.Errorf("%s does not answer as chartd does: %w", base, err)
	}
	out := told.Reply
	if c.answer {
		out = answer
	}
	if len(out) > 0 {
		if _, err := fmt.Fprintln(c.out, strings.TrimSpace(string(out))); err != nil {
			return err
		}
	}
	if !told.Handled {
		return fmt.Errorf("no handler of chart %q wants that argument", c.chart)
	}
	return nil
}

// argument returns the body of the request; nil is no argument.
func (c *caller) argument(args []string) ([]byte, error) {
	if len(args) == 0 {
		if c.json {
			return nil, usageError{"--json: want ARG"}
		}
		return nil, nil
	}
	arg := args[0]
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(c.in, maxAnswer))
		if err != nil {
			return nil, fmt.Errorf("reading the argument: %w", err)
		}
		arg = strings.TrimSuffix(string(b), "\n")
	}
	if !c.json {
		return json.Marshal(arg)
	}
	if !json.Valid([]byte(arg)) {
		return nil, usageError{fmt.Sprintf("--json: %q is no JSON", arg)}
	}
	return []byte(arg), nil
}

// base returns the address of chartd, without a slash at its end.
func (c *caller) base() (string, error) {
	given := c.url
	if env, ok := c.env("CHARTD_URL"); ok && given == "" {
		given = env
	}
	if given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", usageError{fmt.Sprintf("--url: %q is not an address such as http://localhost:8080", given)}
		}
		return strings.TrimSuffix(given, "/"), nil
	}
	listen, secure := *c.listen, false
	if listen == "" {
		cfg, err := daemon.Load(*c.file, daemon.WithEnv(c.env))
		if err != nil {
			return "", fmt.Errorf("%w\nso it is not known where chartd listens; --url, or CHARTD_URL, says it without that file", err)
		}
		listen, secure = cfg.Listen, cfg.Server.TLS.Cert != ""
	}
	addr, err := reachable(listen)
	if secure {
		return "https://" + addr, err
	}
	return "http://" + addr, err
}

// ask posts the callback.
func (c *caller) ask(ctx context.Context, address string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := c.shown(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
		// A callback that was sent elsewhere would be another one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return 0, nil, e.Err // who reads it knows the address
	}
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

// shown returns the token to show, "" if there is none.
func (c *caller) shown() string {
	if env, ok := c.env("CHARTD_TOKEN"); ok && c.token == "" {
		return env
	}
	return c.token
}

// whyNot says what an answer other than 200 says.
func (c *caller) whyNot(base string, status int, answer []byte) string {
	var failed struct {
		Error struct{ Code, Field, Message string } `json:"error"`
	}
	if json.Unmarshal(answer, &failed) == nil && failed.Error.Message != "" {
		text := failed.Error.Message
		if failed.Error.Field != "" {
			text = failed.Error.Field + ": " + text
		}
		return fmt.Sprintf("%s (%s)", text, failed.Error.Code)
	}
	text := strings.TrimPrefix(strings.TrimSpace(string(answer)), "chartd: ")
	if len(text) > 500 {
		text = text[:500] + "…"
	}
	switch {
	case status == http.StatusUnauthorized && c.shown() == "":
		text += "; say who you are with CHARTD_TOKEN, or --token"
	case status == http.StatusUnauthorized:
		text += ": the one of CHARTD_TOKEN, or --token"
	case status == http.StatusNotFound, status >= 300 && status < 400:
		text += fmt.Sprintf("; is %s the address of chartd (--url, CHARTD_URL)?", base)
	}
	return fmt.Sprintf("%d %s: %s", status, http.StatusText(status), text)
}

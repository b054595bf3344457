package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/session"
)

// maxAtOnce bounds the requests of one webhook that are under way.
const maxAtOnce = 64

// The first retry comes after about backoff, each further one after twice that.
const backoff = 100 * time.Millisecond

// hook is one webhook.
type hook struct {
	cfg       *Config
	pool      *Pool
	client    *http.Client
	url       *url.URL
	hidden    secret.Set // what no text may repeat
	chart, on string
	breaker   breaker
	slots     chan struct{}
}

func newHook(c *Config, p *Pool, chart, on string) (*hook, error) {
	u, err := c.URL.Parse("http", "https")
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	h := &hook{cfg: c, pool: p, client: p.outside, url: u, hidden: hiddenOf(c, u), chart: chart, on: on, slots: make(chan struct{}, maxAtOnce)}
	if c.AllowPrivate {
		h.client = p.within
	}
	h.breaker = breaker{open: breakerOpen, changed: func(s state) {
		p.metrics.breaker.WithLabelValues(chart, on).Set(float64(s))
	}}
	return h, nil
}

// hiddenOf returns what of a webhook is secret: its path, too.
func hiddenOf(c *Config, u *url.URL) secret.Set {
	return secret.In(c).And(strings.TrimPrefix(u.Path, "/"), strings.TrimPrefix(u.EscapedPath(), "/"), path.Base(u.Path))
}

// failure is why there is no answer. Its text is for clients: it says nothing of
// the server but a status.
type failure struct {
	outcome string // as it is counted
	text    string
	cause   error // for the log
	verdict verdict
	retry   bool
	after   time.Duration // at the earliest
}

// Error implements error.
func (f *failure) Error() string { return "webhook: " + f.text }

// run asks the server and does what it says.
func (h *hook) run(ctx context.Context, call *session.Call) error {
	body, err := bodyOf(call)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	within, cancel := context.WithTimeout(ctx, h.cfg.timeout())
	defer cancel()
	said, failed := h.ask(within, body)
	if failed != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the callback's own time, which its caller knows of
		}
		h.report(failed)
		return failed
	}
	if err := said.apply(call); err != nil {
		failed := h.failed("answer", "its answer cannot be carried out: "+h.scrub(err), err, verdictGood)
		h.report(failed)
		return failed
	}
	return nil
}

// ask posts body until there is an answer, no more retry, or no more time.
func (h *hook) ask(ctx context.Context, body []byte) (said *answer, failed *failure) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, h.failed("busy", fmt.Sprintf("%d requests to it are under way already", maxAtOnce), nil, verdictNone)
	}
	wait, ok := h.breaker.enter()
	if !ok {
		text := "it is not asked, since it has failed again and again; one request tries it now"
		if wait > 0 {
			text = fmt.Sprintf("it is not asked, since it has failed again and again; the next try is in %v", quantity.Duration(wait.Round(time.Millisecond)))
		}
		return nil, h.failed("open", text, nil, verdictNone)
	}
	v := verdictNone // of a panic
	defer func() { h.breaker.leave(v) }()
	for try := 0; ; try++ {
		began := time.Now()
		said, failed = h.once(ctx, body)
		h.pool.metrics.seconds.Observe(time.Since(began).Seconds())
		if failed == nil {
			v = verdictGood
			h.count("ok")
			return said, nil
		}
		v = failed.verdict
		if !failed.retry || try >= h.cfg.retries() || !pause(ctx, try, failed.after) {
			return nil, failed
		}
	}
}

// pause waits before a retry, and reports whether there is time for it.
func pause(ctx context.Context, try int, after time.Duration) bool {
	most := backoff << try
	d := max(after, most/2+rand.N(most/2+1))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once posts body once.
func (h *hook) once(ctx context.Context, body []byte) (*answer, *failure) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, h.failed("unreachable", "its address cannot be asked", err, verdictBad)
	}
	for name, value := range h.cfg.Headers {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "chartd")
	if h.cfg.Secret != "" {
		req.Header.Set(signatureHeader, sign(h.cfg.Secret, body, time.Now()))
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, h.unanswered(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if f := h.refused(resp); f != nil {
		return nil, f
	}
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, h.unanswered(ctx, err)
	case len(said) > maxAnswer:
		return nil, h.failed("too_large", fmt.Sprintf("its answer is larger than %v", quantity.Bytes(maxAnswer)), nil, verdictBad)
	}
	a, err := parseAnswer(said)
	if err != nil {
		return nil, h.failed("answer", "its answer is not understood: "+h.scrub(err), err, verdictGood)
	}
	return a, nil
}

// unanswered says why there is no whole answer.
func (h *hook) unanswered(ctx context.Context, err error) *failure {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address
	}
	if e, ok := errors.AsType[*fencedError](err); ok {
		return h.failed("fenced", "its address is inside this network, where webhooks may not lead (allow_private)", e, verdictBad)
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return h.failed("timeout", fmt.Sprintf("no whole answer within %v", quantity.Duration(h.cfg.timeout())), err, verdictBad)
	case ctx.Err() != nil:
		return h.failed("canceled", "nobody waits for it any more", err, verdictNone)
	}
	op, broken := errors.AsType[*net.OpError](err)
	dialled := !broken || op.Op != "dial"
	text := "what it answers is no HTTP that can be read"
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case !dialled:
		text = "there is no connection to it"
	case untrusted:
		text = "its certificate is not to be trusted"
	case broken, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "the connection ended before the answer did"
	}
	f := h.failed("unreachable", text, err, verdictBad)
	f.retry = !dialled // nothing was sent
	return f
}

// refused says what is wrong with an answer that is not of status 2xx.
func (h *hook) refused(resp *http.Response) *failure {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	text := fmt.Sprintf("its answer is %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return h.failed("redirect", text+", and redirects are not followed", nil, verdictGood)
	}
	f := h.failed("status", text, nil, verdictGood)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.retry, f.after = true, retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	if f.retry || resp.StatusCode >= 500 {
		f.verdict = verdictBad
	}
	return f
}

// retryAfter reads that header: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// failed returns a failure and counts it.
func (h *hook) failed(outcome, text string, cause error, v verdict) *failure {
	h.count(outcome)
	return &failure{outcome: outcome, text: text, cause: cause, verdict: v}
}

func (h *hook) count(outcome string) {
	h.pool.metrics.requests.WithLabelValues(h.chart, h.on, outcome).Inc()
}

// report logs a failure, though not every time. The log may know the host; the
// path of many webhooks is their password.
func (h *hook) report(f *failure) {
	fields := []zap.Field{zap.String("chart", h.chart), zap.String("on", h.on), zap.String("host", h.url.Host), zap.String("outcome", f.outcome), zap.String("why", f.text)}
	if f.cause != nil {
		fields = append(fields, zap.String("error", h.scrub(f.cause)))
	}
	h.pool.quiet.Write(zap.WarnLevel, h.chart+" "+h.on+" "+f.outcome, "a webhook failed", fields...)
}

// maxExcerpt is how much an error repeats of what a server wrote, in bytes.
const maxExcerpt = 200

// scrub returns an error's text without the secrets of the webhook, which a
// server may send back, and short.
func (h *hook) scrub(err error) string {
	text := h.hidden.Scrub(err.Error())
	if len(text) > maxExcerpt {
		text = strings.ToValidUTF8(text[:maxExcerpt], "") + "…"
	}
	return text
}

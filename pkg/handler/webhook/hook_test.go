package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/chartd/chartd/pkg/secret"
)

// rig is a webhook and the server that it asks.
type rig struct {
	*hook
	t     *testing.T
	logs  *observer.ObservedLogs
	asked atomic.Int32
}

// open starts a server that answers with f.
func open(t *testing.T, change func(*Config), f http.HandlerFunc) *rig {
	t.Helper()
	r := &rig{t: t}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		f(w, req)
	}))
	t.Cleanup(srv.Close)
	cfg := &Config{URL: secret.URL(srv.URL + "/hook?token=hunter2"), AllowPrivate: true, Timeout: 10e9}
	if change != nil {
		change(cfg)
	}
	r.on(cfg, nil)
	return r
}

// on makes the webhook.
func (r *rig) on(cfg *Config, names *net.Resolver) {
	r.t.Helper()
	if ps := cfg.Validate(); len(ps) > 0 {
		r.t.Fatal(ps)
	}
	core, logs := observer.New(zap.DebugLevel)
	pool, err := newPool(zap.New(core), prometheus.NewRegistry(), names)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(pool.Close)
	h, err := newHook(cfg, pool, "cpu", "x")
	if err != nil {
		r.t.Fatal(err)
	}
	r.hook, r.logs = h, logs
}

// post asks the server with as much time as the configuration gives.
func (r *rig) post(body string) (*answer, *failure) {
	ctx, cancel := context.WithTimeout(r.t.Context(), r.cfg.timeout())
	defer cancel()
	return r.ask(ctx, []byte(body))
}

// fails asks, and wants this failure.
func (r *rig) fails(outcome, text string) {
	r.t.Helper()
	_, f := r.post(`{}`)
	if f == nil || f.outcome != outcome || !strings.Contains(f.Error(), text) {
		r.t.Fatalf("%+v, want %s: %s", f, outcome, text)
	}
	r.report(f)
	for _, shown := range []string{f.Error(), fmt.Sprint(r.logs.All())} {
		if strings.Contains(shown, "hunter2") {
			r.t.Errorf("a secret is shown: %s", shown)
		}
	}
	if strings.Contains(f.Error(), "127.0.0.1") || strings.Contains(f.Error(), r.url.Host) {
		r.t.Errorf("the address is told: %s", f.Error())
	}
	if n := testutil.ToFloat64(r.pool.metrics.requests.WithLabelValues("cpu", "x", outcome)); n < 1 {
		r.t.Errorf("%s is not counted", outcome)
	}
}

func TestFailures(t *testing.T) {
	once := func(c *Config) { c.Retries = new(0) }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte("token hunter2 at 127.0.0.1"))
		}
	}
	for name, c := range map[string]struct {
		f             http.HandlerFunc
		outcome, text string
	}{
		"500":     {status(500), "status", "webhook: its answer is 500 Internal Server Error"},
		"404":     {status(404), "status", "its answer is 404 Not Found"},
		"503":     {status(503), "status", "its answer is 503 Service Unavailable"},
		"garbage": {status(200), "answer", "its answer is not understood: it is no JSON"},
		"unknown": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"hunter2":1}`)) }, "answer", `the field "[secret]" is not known`},
		"cut":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "unreachable", "the connection ended"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/?token=hunter2", http.StatusTemporaryRedirect)
		}, "redirect", "its answer is 307 Temporary Redirect, and redirects are not followed"},
		"short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{`))
		}, "unreachable", "the connection ended"},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, once, c.f)
			r.fails(c.outcome, c.text)
			if n := r.asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// An answer of 100 MB is not read: it ends after what may be.
func TestEndlessAnswer(t *testing.T) {
	wrote := make(chan int, 1)
	r := open(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		n, chunk := 0, bytes.Repeat([]byte{' '}, 1<<20)
		for range 100 {
			m, err := w.Write(chunk)
			n += m
			if err != nil {
				break
			}
		}
		wrote <- n
	})
	r.fails("too_large", "its answer is larger than 64KiB")
	if n := <-wrote; n >= 100<<20 {
		t.Errorf("all %d bytes were taken", n)
	}
}

// A server that hangs is left when the time is over; the caller's going away is
// no fault of it.
func TestHang(t *testing.T) {
	hang := func(began chan<- struct{}) http.HandlerFunc {
		return func(_ http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body) // so that the server notices who leaves
			began <- struct{}{}
			<-req.Context().Done()
		}
	}
	r := open(t, func(c *Config) { c.Timeout = 50e6 }, hang(make(chan struct{}, 16)))
	r.fails("timeout", "no whole answer within 50ms")
	if n := r.asked.Load(); n > 1 {
		t.Errorf("asked %d times: what may have been understood is not repeated", n)
	}

	began := make(chan struct{}, 16)
	slow := open(t, nil, hang(began))
	for range breakerFailures {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-began
			cancel()
		}()
		if _, f := slow.ask(ctx, []byte("{}")); f == nil || f.outcome != "canceled" {
			t.Fatalf("%+v", f)
		}
	}
	if slow.breaker.state != stateClosed {
		t.Error("callers that leave open the breaker")
	}
}

// What may be retried is, with the same body and a fresh signature; the server
// says how soon.
func TestRetry(t *testing.T) {
	var bodies []string
	r := open(t, func(c *Config) { c.Secret, c.Retries = "0123456789abcdef", new(3) }, func(w http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err != nil || !verified("0123456789abcdef", req.Header.Get("Chartd-Signature"), b, time.Now()) {
			t.Errorf("signature %q, %v", req.Header.Get("Chartd-Signature"), err)
		}
		bodies = append(bodies, string(b))
		switch len(bodies) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			w.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = w.Write([]byte(`{"reply":"at last"}`))
		}
	})
	a, f := r.post(`{"id":"1"}`)
	if f != nil || string(a.Reply) != `"at last"` {
		t.Fatalf("%v, %v", a, f)
	}
	if strings.Join(bodies, " ") != strings.Repeat(` {"id":"1"}`, 4)[1:] {
		t.Errorf("the bodies are %q", bodies)
	}

	patient := open(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	patient.fails("status", "503")
	if n := patient.asked.Load(); n != 1 {
		t.Errorf("asked %d times, though an hour was to pass in between", n)
	}
	never := open(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	never.fails("status", "500")
	if n := never.asked.Load(); n != 1 {
		t.Errorf("a 500 was asked %d times", n)
	}
}

// Where nobody listens, it is tried again, since nothing was sent.
func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t}
	r.on(&Config{URL: secret.URL("http://" + addr), AllowPrivate: true, Retries: new(1)}, nil)
	r.fails("unreachable", "there is no connection to it")
	if n := testutil.ToFloat64(r.pool.metrics.requests.WithLabelValues("cpu", "x", "unreachable")); n != 2 {
		t.Errorf("tried %v times", n)
	}
}

// A server that fails is left alone, and asked again when the time is over.
func TestBreakerOpensAndCloses(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	r := open(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	state := func() float64 { return testutil.ToFloat64(r.pool.metrics.breaker.WithLabelValues("cpu", "x")) }
	r.breaker.open = time.Hour
	for range breakerFailures {
		r.fails("status", "500")
	}
	if state() != float64(stateOpen) {
		t.Fatalf("state %v", state())
	}
	r.fails("open", "it is not asked, since it has failed again and again; the next try is in")
	if n := r.asked.Load(); n != breakerFailures {
		t.Errorf("asked %d times", n)
	}
	r.breaker.until = time.Now()
	r.fails("status", "500") // the probe
	r.fails("open", "it is not asked")
	broken.Store(false)
	r.breaker.until = time.Now()
	if _, f := r.post(`{}`); f != nil || state() != float64(stateClosed) {
		t.Errorf("%v in state %v", f, state())
	}
}

// names is a resolver that knows one name, by asking a server of its own over
// UDP.
func names(t *testing.T, addr [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative = true, true
			m.Additionals = nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
					Body:   &dnsmessage.AResource{A: addr},
				}}
			}
			if b, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(b, from)
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A name that looks public and leads to a private address is found out when it
// is dialled, and nothing is sent.
func TestNameOfAPrivateAddress(t *testing.T) {
	r := open(t, nil, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(r.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	cfg := *r.cfg
	cfg.URL = secret.URL("http://rebind.example.com:" + port + "/?token=hunter2")
	cfg.AllowPrivate = false
	r.on(&cfg, names(t, [4]byte{127, 0, 0, 1}))
	r.fails("fenced", "its address is inside this network")
	if n := r.asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
	// The same name and server are asked where that is allowed: the fence, and
	// nothing else, was in the way.
	cfg.AllowPrivate = true
	r.on(&cfg, names(t, [4]byte{127, 0, 0, 1}))
	if _, f := r.post(`{}`); f != nil || r.asked.Load() != 1 {
		t.Errorf("%v, asked %d times", f, r.asked.Load())
	}
}

// verified is what README tells a receiver to do.
func verified(secret, header string, body []byte, now time.Time) bool {
	fields := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	t, err := strconv.ParseInt(fields["t"], 10, 64)
	if err != nil || now.Sub(time.Unix(t, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", fields["t"], body)
	want, err := hex.DecodeString(fields["v1"])
	return err == nil && hmac.Equal(want, mac.Sum(nil))
}

func TestSignature(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	header := sign("0123456789abcdef", []byte(`{"a":1}`), now)
	// The figure was made with openssl dgst -sha256 -hmac.
	if want := "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"; header != want {
		t.Errorf("%s, want %s", header, want)
	}
	for name, ok := range map[string]bool{
		"as sent":       verified("0123456789abcdef", header, []byte(`{"a":1}`), now.Add(time.Minute)),
		"other body":    !verified("0123456789abcdef", header, []byte(`{"a":2}`), now),
		"other secret":  !verified("0123456789abcdeg", header, []byte(`{"a":1}`), now),
		"other time":    !verified("0123456789abcdef", strings.Replace(header, "1700000000", "1700000001", 1), []byte(`{"a":1}`), now),
		"an hour later": !verified("0123456789abcdef", header, []byte(`{"a":1}`), now.Add(time.Hour)),
	} {
		if !ok {
			t.Error(name)
		}
	}
}

// More than so many at once wait, and are refused when their time is over.
func TestManyAtOnce(t *testing.T) {
	release := make(chan struct{})
	r := open(t, nil, func(http.ResponseWriter, *http.Request) { <-release })
	done := make(chan *failure, maxAtOnce)
	for range maxAtOnce {
		go func() {
			_, f := r.post(`{}`)
			done <- f
		}()
	}
	deadline := time.After(10 * time.Second)
	for len(r.slots) < maxAtOnce {
		select {
		case <-deadline:
			t.Fatalf("%d of %d are under way", len(r.slots), maxAtOnce)
		case <-time.After(time.Millisecond):
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, f := r.ask(ctx, nil); f == nil || f.outcome != "busy" || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("%+v", f)
	}
	close(release)
	for range maxAtOnce {
		if f := <-done; f != nil {
			t.Error(f)
		}
	}
}

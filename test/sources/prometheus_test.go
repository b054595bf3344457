package sources

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// asked is a query as the Prometheus logs it.
type asked struct {
	Query      string    `json:"query"`
	Start, End time.Time `json:"-"`
	Step       float64   `json:"step"`
}

// log returns the range queries that the Prometheus was asked, in order.
func (p *promServer) log() (out []asked) {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "query.log"))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var entry struct {
			Params struct {
				Query      string
				Start, End time.Time
				Step       float64
			}
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			p.t.Fatalf("%s: %v", line, err)
		}
		if q := entry.Params; q.Step > 0 {
			out = append(out, asked(q))
		}
	}
	return out
}

// TestPrometheusBackfill asks a Prometheus that holds six hours: once for all of it, and then only for what is new, which is counted there.
func TestPrometheusBackfill(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	p := newProm(t, tg, "")
	var history strings.Builder
	now := time.Now()
	fmt.Fprintln(&history, "# TYPE temp gauge")
	for _, room := range []string{"a", "b"} {
		for at := now.Add(-7 * time.Hour).Truncate(2 * time.Second); at.Before(now); at = at.Add(2 * time.Second) {
			fmt.Fprintf(&history, "temp{room=%q} %d %d\n", room, at.Unix()%1000, at.Unix())
		}
	}
	history.WriteString("# EOF\n")
	if out, err := exec.Command(program(t, "promtool", "prometheus"), "tsdb", "create-blocks-from", "openmetrics", //nolint:gosec // of this test
		p.write("history", history.String()), filepath.Join(p.dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.start()
	before := p.metric("prometheus_http_requests_total", `handler="/api/v1/query_range"`)
	r := start(t, fmt.Sprintf(`
store: {max_age: 7h}
sources:
  prom: {type: prometheus, url: "http://%s", window: 6h, step: 2s, queries: {warm: "temp + 1", beats: beat}}
`, p.addr))
	warm := func() []store.Sample { return r.one("warm", "room=a") }
	livetest.Eventually(t, "the whole history comes", func() bool {
		s := values(warm())
		return len(s) > 0 && s[len(s)-1].T > now.UnixMilli()-5000
	})
	s := warm()
	if span := time.Duration(s[len(s)-1].T-s[0].T) * time.Millisecond; span < 6*time.Hour-time.Minute {
		t.Errorf("six hours are %v", span)
	}
	for i, v := range values(s) {
		if v.T > now.UnixMilli()-2000 {
			break // for a while an old value is taken for the present one
		}
		if want := float64(v.T/1000%1000 + 1); v.V != want || v.T%2000 != 0 {
			t.Fatalf("sample %d is %v, want %v", i, v, want)
		}
	}
	if n := gaps(s); n != 0 {
		t.Errorf("%d gaps", n)
	}
	livetest.Eventually(t, "new samples come", func() bool { return len(values(r.one("beats", "kind=one", "job=t"))) >= 3 })
	byQuery := map[string][]asked{}
	var count float64
	livetest.Eventually(t, "the server has written down what it counted", func() bool {
		count = p.metric("prometheus_http_requests_total", `handler="/api/v1/query_range"`) - before
		return len(p.log()) == int(count)
	})
	for _, q := range p.log() {
		byQuery[q.Query] = append(byQuery[q.Query], q)
	}
	for _, query := range []string{"temp + 1", "beat"} {
		qs := byQuery[query]
		if len(qs) < 2 || qs[0].End.Sub(qs[0].Start) < 6*time.Hour-time.Minute {
			t.Fatalf("%s was asked %+v", query, qs)
		}
		for i, q := range qs[1:] {
			if want := qs[i].End.Add(2 * time.Second); !q.Start.Equal(want) || q.Step != 2 || q.End.Sub(q.Start) > time.Minute {
				t.Errorf("%s: request %d is for %v to %v, want from %v", query, i+2, q.Start, q.End, want)
			}
		}
	}
	if st := r.status("prom"); st.Errors != 0 || st.Rejected != 0 {
		t.Errorf("%+v", st)
	}
}

// TestPrometheusComesAndGoes asks a Prometheus that is down at first, dies in the middle and comes back.
func TestPrometheusComesAndGoes(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	p := newProm(t, tg, "")
	r := start(t, fmt.Sprintf(`
sources:
  prom: {type: prometheus, url: "http://%s", window: 1m, step: 1s, timeout: 2500ms, queries: {beats: beat, wrong: "sum(beat", up: up}}
`, p.addr))
	livetest.Eventually(t, "the source says that the server is down", func() bool {
		return strings.HasSuffix(r.status("prom").Error, "connect: connection refused")
	})
	p.start()
	beats := func() []store.Sample { return r.one("beats", "kind=one") }
	livetest.Eventually(t, "samples come", func() bool { return len(values(beats())) >= 3 })
	if st := r.status("prom"); st.Error != "" || !strings.Contains(st.Reject, "queries.wrong: ") || !strings.Contains(st.Reject, "parse error") {
		t.Errorf("one query is wrong: %+v", st)
	}
	p.kill()
	livetest.Eventually(t, "it is missed", func() bool { return r.status("prom").Error != "" })
	last := func() int64 { s := values(beats()); return s[len(s)-1].T }
	left := last()
	// Longer than the second for which this Prometheus takes an old value for the present one.
	livetest.Eventually(t, "it has been away for a while", func() bool { return time.Now().UnixMilli() > left+2000 })
	p.start()
	livetest.Eventually(t, "samples come again", func() bool { return last() > left+3000 && r.status("prom").Error == "" })
	s := beats()
	if n := gaps(s); n != 1 {
		t.Errorf("%d gaps for one absence: %v", n, s)
	}
	for i := range s[1:] {
		if s[i].T >= s[i+1].T || s[i].V > s[i+1].V || !math.IsNaN(s[i].V) && s[i].T%1000 != 0 {
			t.Errorf("%v comes before %v", s[i], s[i+1])
		}
	}
}

// TestPrometheusAsksWhoItIs asks a Prometheus behind TLS that wants a password.
func TestPrometheusAsksWhoItIs(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	p := newProm(t, tg, "")
	cert, key := selfSigned(t)
	web := p.write("web.yml", fmt.Sprintf(`
tls_server_config: {cert_file: %s, key_file: %s}
basic_auth_users: {me: "$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8."}
`, p.write("cert.pem", cert), p.write("key.pem", key)))
	p.args = append(p.args, "--web.config.file="+web)
	p.start()
	common := fmt.Sprintf(`type: prometheus, url: "https://%s", window: 1m, step: 1s, queries: {NAME: beat}`, p.addr)
	ca := "tls_config: {ca_file: " + filepath.Join(p.dir, "cert.pem") + "}"
	source := func(name, more string) string {
		return fmt.Sprintf("  %s: {%s, %s}\n", name, strings.Replace(common, "NAME", name, 1), more)
	}
	r := start(t, "sources:\n"+
		source("good", ca+", basic_auth: {username: me, password: hunter2}")+
		source("file", ca+", basic_auth: {username: me, password_file: "+p.write("password", "hunter2\n")+"}")+
		source("unchecked", "tls_config: {insecure_skip_verify: true}, basic_auth: {username: me, password: hunter2}")+
		source("wrong", ca+", basic_auth: {username: me, password: swordfish}")+
		source("bearer", ca+", authorization: {credentials: swordfish}, headers: {X-Key: opensesame}")+
		source("nobody", ca)+
		source("untrusted", "basic_auth: {username: me, password: hunter2}"))
	for _, name := range []string{"good", "file", "unchecked"} {
		livetest.Eventually(t, name+" brings samples", func() bool { return len(values(r.one(name))) > 0 })
	}
	for name, want := range map[string]string{
		"wrong": "the answer is 401 Unauthorized", "bearer": "the answer is 401 Unauthorized", "nobody": "the answer is 401 Unauthorized",
		"untrusted": "x509: certificate signed by unknown authority",
	} {
		livetest.Eventually(t, name+" says why not", func() bool { return strings.Contains(r.status(name).Error, want) })
	}
	r.holdsNoSecret("hunter2", "swordfish", "opensesame", "bWU6aHVudGVyMg", "bWU6c3dvcmRmaXNo")
}

// selfSigned makes a certificate for loopback that vouches for itself.
func selfSigned(t testing.TB) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", keyDER)
}

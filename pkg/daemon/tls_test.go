package daemon_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// newCert writes a certificate for 127.0.0.1 that signs itself, and returns the
// pool in which it is trusted.
func newCert(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "chartd"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Duration(serial) * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	replace(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return pool
}

// startTLS starts a daemon with a certificate.
func startTLS(t *testing.T, more string) (r *rig, dir string, pool *x509.CertPool) {
	t.Helper()
	dir = t.TempDir()
	pool = newCert(t, dir, 1)
	r = start(t, fmt.Sprintf(`
server:
  tls: {cert: %[1]s/cert.pem, key: %[1]s/key.pem%[2]s}
charts:
  c: {refresh: 100ms, window: 30s, series: [{metric: m}]}
`, dir, more))
	if !strings.HasPrefix(r.base, "https://") {
		t.Fatalf("the address is %s", r.base)
	}
	r.append("m", 1)
	return r, dir, pool
}

// over returns a client's TLS that trusts a pool.
func over(pool *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: pool} }

// answerTLS is an HTTP answer, read.
type answerTLS struct {
	status, proto int
	header        http.Header
	body          string
}

func getTLS(t *testing.T, url string, cfg *tls.Config) (answerTLS, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, TLSClientConfig: cfg, ForceAttemptHTTP2: true}).RoundTrip(req)
	if err != nil {
		return answerTLS{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answerTLS{resp.StatusCode, resp.ProtoMajor, resp.Header, string(b)}, err
}

func dialTLS(t *testing.T, base string, cfg *tls.Config, header http.Header) (*livetest.Client, error) {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: cfg, Subprotocols: []string{wire.Subprotocol}}
	ws, resp, err := d.DialContext(t.Context(), "wss"+strings.TrimPrefix(strings.TrimSuffix(base, "/"), "https")+wire.Path, header)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return livetest.New(t, ws), nil
}

func TestTLS(t *testing.T) {
	r, _, pool := startTLS(t, ", hsts: 1d")
	page, err := getTLS(t, r.base, over(pool))
	if err != nil || page.status != http.StatusOK || !strings.Contains(page.body, "<html") {
		t.Fatalf("the gallery: %v %+v", err, page)
	}
	if page.proto != 1 {
		t.Errorf("HTTP/%d is spoken", page.proto)
	}
	if got := page.header.Get("Strict-Transport-Security"); got != "max-age=86400" {
		t.Errorf("HSTS is %q", got)
	}
	old := over(pool)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := getTLS(t, r.base, old); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	if _, err := getTLS(t, r.base, over(x509.NewCertPool())); err == nil {
		t.Error("a certificate that nobody trusts is trusted: this test is none")
	}
	if got, err := getTLS(t, "http"+strings.TrimPrefix(r.base, "https"), nil); err != nil || got.status != http.StatusBadRequest {
		t.Errorf("without TLS: %v %+v", err, got)
	}

	c, err := dialTLS(t, r.base, over(pool), http.Header{"Origin": {strings.TrimSuffix(r.base, "/")}})
	if err != nil {
		t.Fatal(err)
	}
	c.Hello("")
	ok := c.Sub(wire.Sub{Chart: "c"})
	mirror := wire.NewMirror(ok.V)
	for i := range 5 {
		r.append("m", float64(i))
		c.Frames(mirror, 1)
	}
	if _, err := dialTLS(t, r.base, over(pool), http.Header{"Origin": {"http" + strings.TrimSuffix(strings.TrimPrefix(r.base, "https"), "/")}}); err == nil {
		t.Error("a page that came without TLS is let in")
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	r, dir, first := startTLS(t, "")
	watcher, err := dialTLS(t, r.base, over(first), nil)
	if err != nil {
		t.Fatal(err)
	}
	watcher.Hello("")
	mirror := wire.NewMirror(watcher.Sub(wire.Sub{Chart: "c"}).V)
	watcher.Frames(mirror, 1)
	shown := func(pool *x509.CertPool) bool {
		_, err := getTLS(t, r.base+"healthz", over(pool))
		return err == nil
	}
	second := newCert(t, dir, 2)
	livetest.Eventually(t, "the new certificate is shown", func() bool { return shown(second) })
	if shown(first) {
		t.Error("the old certificate is shown, too")
	}
	// One that is not good changes nothing and is said.
	replace(t, filepath.Join(dir, "cert.pem"), "no certificate")
	livetest.Eventually(t, "the broken one is noticed", func() bool {
		if !shown(second) {
			t.Fatal("the old certificate is gone")
		}
		return r.logs.FilterMessage("the new certificate is not good; the old one goes on").Len() > 0
	})
	for range 5 {
		shown(second)
	}
	if n := r.logs.FilterLevelExact(zap.ErrorLevel).Len(); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	if got, err := getTLS(t, r.base+"metrics", over(second)); err != nil || !strings.Contains(got.body, "chartd_tls_reload_failures_total 1") ||
		!strings.Contains(got.body, "chartd_tls_certificate_expiry_timestamp_seconds 1.") {
		t.Errorf("not counted: %v", err)
	}
	third := newCert(t, dir, 3)
	livetest.Eventually(t, "a good one is shown again", func() bool { return shown(third) })
	// Nobody who was there has noticed.
	r.append("m", 2)
	watcher.Frames(mirror, 1)

	// A configuration with a certificate that is not there is refused as a whole.
	cfg := *r.config(t, `
server: {tls: {cert: `+dir+`/none.pem, key: `+dir+`/key.pem}}
charts:
  d: {series: [{metric: m}]}
`)
	if err := r.Reload(&cfg); err == nil || !strings.Contains(err.Error(), "server.tls: open "+dir+"/none.pem") {
		t.Errorf("got %v", err)
	}
	if _, err := getTLS(t, r.base+"charts/c.svg", over(third)); err != nil {
		t.Error(err)
	}
}

func TestTLSNeedsItsFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := newDaemon(t, "server: {tls: {cert: "+dir+"/c.pem, key: "+dir+"/k.pem}}\n")
	if err == nil || !strings.Contains(err.Error(), "server.tls: open "+dir+"/c.pem") {
		t.Errorf("got %v", err)
	}
	newCert(t, dir, 1)
	other := t.TempDir()
	newCert(t, other, 2)
	if _, err = newDaemon(t, "server: {tls: {cert: "+dir+"/cert.pem, key: "+other+"/key.pem}}\n"); err == nil || !strings.Contains(err.Error(), "server.tls: ") {
		t.Errorf("somebody else's key: %v", err)
	}
	if err := os.Remove(filepath.Join(other, "key.pem")); err != nil {
		t.Fatal(err)
	}
}

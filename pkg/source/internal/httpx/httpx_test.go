package httpx_test

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hidden is part of every secret of these tests.
const hidden = "hunter2"

func config(change func(*httpx.Config)) *httpx.Config {
	c := httpx.DefaultConfig()
	if change != nil {
		change(&c)
	}
	return &c
}

func do(t *testing.T, c *httpx.Config, u string, r httpx.Request) (*httpx.Answer, error) {
	t.Helper()
	client, err := c.Open(secret.URL(u))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Do(t.Context(), r, nil)
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsSent(t *testing.T) {
	var got *http.Request
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
	})
	at := func(userinfo string) string { return strings.Replace(s.URL, "://", "://"+userinfo, 1) }
	basic := func(name, password string) string {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(name, password)
		return r.Header.Get("Authorization")
	}
	for name, tc := range map[string]struct {
		change func(*httpx.Config)
		url    string
		want   string // Authorization
	}{
		"nothing": {nil, at(""), ""},
		"basic":   {func(c *httpx.Config) { c.BasicAuth = httpx.BasicAuth{Username: "u", Password: hidden} }, at(""), basic("u", hidden)},
		"password file": {func(c *httpx.Config) {
			c.BasicAuth = httpx.BasicAuth{Username: "u", PasswordFile: file(t, hidden+"\n")}
		}, at(""), basic("u", hidden)},
		"bearer":       {func(c *httpx.Config) { c.Authorization.Credentials = hidden }, at(""), "Bearer " + hidden},
		"token file":   {func(c *httpx.Config) { c.Authorization.CredentialsFile = file(t, hidden) }, at(""), "Bearer " + hidden},
		"another type": {func(c *httpx.Config) { c.Authorization = httpx.Authorization{Type: "Token", Credentials: hidden} }, at(""), "Token " + hidden},
		"in the URL":   {nil, at("u:" + hidden + "@"), basic("u", hidden)},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(func(c *httpx.Config) {
				c.Headers = map[string]secret.Text{"X-Scope-OrgID": "team"}
				if tc.change != nil {
					tc.change(c)
				}
			})
			if ps := c.Validate(); len(ps) > 0 {
				t.Fatal(ps)
			}
			if _, err := do(t, c, tc.url+"/base/?a=1", httpx.Request{Path: "api/v1/x", Form: url.Values{"b": {"2"}}, Header: http.Header{"Accept": {"text/plain"}}}); err != nil {
				t.Fatal(err)
			}
			if a := got.Header.Get("Authorization"); a != tc.want {
				t.Errorf("Authorization is %q, want %q", a, tc.want)
			}
			if got.Method != "GET" || got.URL.Path != "/base/api/v1/x" || got.Form.Encode() != "a=1&b=2" || got.Header.Get("X-Scope-OrgID") != "team" || got.Header.Get("Accept") != "text/plain" {
				t.Errorf("got %s %s %v", got.Method, got.URL, got.Header)
			}
		})
	}
	if _, err := do(t, config(nil), s.URL, httpx.Request{Method: "POST", Path: "q", Form: url.Values{"b": {"2"}}}); err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.URL.RawQuery != "" || got.PostForm.Get("b") != "2" {
		t.Errorf("got %s %s %v", got.Method, got.URL, got.PostForm)
	}
}

// TestErrors says what an error shows, and that it shows no secret even if the server repeats all that it was sent.
func TestErrors(t *testing.T) {
	elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed to another server, with %v", r.Header)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			w.WriteHeader(http.StatusForbidden)
			user, password, _ := r.BasicAuth()
			fmt.Fprintf(w, "no: %s %s %s %s %s\nmore", r.Header.Get("Authorization"), r.Header.Get("X-Key"), user, password, r.URL)
		case "/html":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html>not for a log")
		case "/away":
			http.Redirect(w, r, elsewhere.URL+"/?key="+hidden, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/large":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		case "/slow":
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		case "/binary":
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("\x00\xff\x1b[31mred" + strings.Repeat("€", 500)))
		}
	})
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	withSecrets := func(c *httpx.Config) {
		c.Timeout = quantity.Duration(10 * time.Second)
		c.MaxAnswer = 64 << 10
		c.BasicAuth = httpx.BasicAuth{Username: "u", Password: hidden + "/&="}
		c.Headers = map[string]secret.Text{"X-Key": "key-" + hidden}
	}
	impatient := func(c *httpx.Config) { withSecrets(c); c.Timeout = quantity.Duration(100 * time.Millisecond) }
	for _, tc := range []struct {
		url    string
		path   string
		change func(*httpx.Config)
		want   string
	}{
		{s.URL, "echo", withSecrets, "the answer is 403 Forbidden: no: Basic [secret] [secret] u [secret] /echo?token=[secret]"},
		{s.URL, "html", withSecrets, "/html: the answer is 502 Bad Gateway\x00"},
		{s.URL, "away", withSecrets, "it redirects to " + elsewhere.URL + ", which is not followed; if that is right, put it into url"},
		{s.URL, "round", withSecrets, "it redirects more than 5 times"},
		{s.URL, "near", withSecrets, ""},
		{s.URL, "large", withSecrets, "the answer is larger than 64KiB (max_answer)"},
		{s.URL, "slow", impatient, "no whole answer within 100ms (timeout)"},
		{s.URL, "cut", withSecrets, "the server ended the connection in the middle"},
		{s.URL, "binary", withSecrets, "the answer is 418 I'm a teapot: [31mred" + strings.Repeat("€", 64) + "…"},
		{down.URL, "", withSecrets, "connect: connection refused"},
		{s.URL, "", func(c *httpx.Config) { withSecrets(c); c.BasicAuth.Password, c.BasicAuth.PasswordFile = "", "/nowhere" }, "basic_auth.password_file: open /nowhere: no such file or directory"},
		{s.URL, "", func(c *httpx.Config) { c.Authorization.CredentialsFile = file(t, hidden+"\n"+hidden) }, "holds more than one line"},
		{s.URL, "", func(c *httpx.Config) { withSecrets(c); c.TLS.CAFile = "/nowhere" }, "tls_config.ca_file: open /nowhere: no such file or directory"},
		{s.URL, "", func(c *httpx.Config) { c.TLS.CAFile = file(t, hidden) }, "has no certificate in PEM"},
		{s.URL, "", func(c *httpx.Config) { c.TLS.CertFile, c.TLS.KeyFile = file(t, hidden), file(t, hidden) }, "tls_config.cert_file: "},
		{"http://u:" + hidden + "@[::1", "", nil, "url: is not a URL"},
	} {
		a, err := do(t, config(tc.change), strings.Replace(tc.url, "http://1", "http://u:"+hidden+"@1", 1)+"?token="+hidden+"%26x", httpx.Request{Path: tc.path})
		if err == nil {
			err = a.Err()
		}
		switch {
		case err == nil && tc.want == "":
			continue
		case err == nil:
			t.Errorf("%s: no error, want %q", tc.path, tc.want)
			continue
		case tc.want == "" || !strings.Contains(err.Error()+"\x00", tc.want):
			t.Errorf("%s: got %q, want %q", tc.path, err, tc.want)
		}
		if strings.Contains(err.Error(), hidden) || strings.Contains(fmt.Sprintf("%#v", err), hidden) {
			t.Errorf("%s: the error shows the secret: %#v", tc.path, err)
		}
	}
	if _, err := do(t, config(withSecrets), down.URL, httpx.Request{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the error has lost what it is: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client, err := config(nil).Open(secret.URL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Do(ctx, httpx.Request{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("asked to stop: %v", err)
	}
}

func TestTheBufferIsUsedAgain(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "0123456789") })
	client, err := config(nil).Open(secret.URL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 3, 4096)
	a, err := client.Do(t.Context(), httpx.Request{}, buf)
	if err != nil || string(a.Body) != "0123456789" || &a.Body[0] != &buf[0] {
		t.Errorf("%q, %v", a.Body, err)
	}
}

func TestTLS(t *testing.T) {
	ca, caKey := certify(t, nil, nil, "ca")
	cert, key := certify(t, ca, caKey, "chartd")
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	s.TLS = &tls.Config{
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
	}
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop()) // refused handshakes are part of the test
	s.StartTLS()
	defer s.Close()
	good := httpx.TLS{CAFile: write("ca.pem", "CERTIFICATE", ca.Raw), CertFile: write("cert.pem", "CERTIFICATE", cert.Raw), KeyFile: write("key.pem", "EC PRIVATE KEY", der)}
	for name, tc := range map[string]struct {
		change func(*httpx.TLS)
		want   string // of the error
	}{
		"good":            {func(*httpx.TLS) {}, ""},
		"unknown CA":      {func(c *httpx.TLS) { c.CAFile = "" }, "certificate signed by unknown authority"},
		"unchecked":       {func(c *httpx.TLS) { c.CAFile, c.InsecureSkipVerify = "", true }, ""},
		"another name":    {func(c *httpx.TLS) { c.ServerName = "other" }, "certificate is valid for chartd, not other"},
		"the right name":  {func(c *httpx.TLS) { c.ServerName = "chartd" }, ""},
		"no certificate":  {func(c *httpx.TLS) { c.CertFile, c.KeyFile = "", "" }, "certificate required"},
		"key and no cert": {func(c *httpx.TLS) { c.KeyFile = c.CertFile }, "tls_config.cert_file: "},
	} {
		c := config(func(c *httpx.Config) { c.TLS = good; tc.change(&c.TLS) })
		a, err := do(t, c, s.URL, httpx.Request{})
		switch {
		case tc.want == "" && (err != nil || string(a.Body) != "chartd"):
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

// certify makes a certificate, signed by a CA or, without one, a CA.
func certify(t *testing.T, ca *x509.Certificate, caKey *ecdsa.PrivateKey, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: ca == nil, BasicConstraintsValid: true,
	}
	if ca == nil {
		ca, caKey = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestValidate(t *testing.T) {
	if ps := config(nil).Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	for _, tc := range []struct {
		change func(*httpx.Config)
		want   string
	}{
		{func(c *httpx.Config) { c.Timeout = 1 }, "timeout: 1ns is out of range; a duration from 100ms to 10m"},
		{func(c *httpx.Config) { c.MaxAnswer = 1 }, "max_answer: 1 is out of range; a size from 1KiB to 1GiB"},
		{func(c *httpx.Config) { c.Headers = map[string]secret.Text{"a b": hidden} }, `headers: "a b" is no name of a header; letters, digits and -`},
		{func(c *httpx.Config) { c.Headers = map[string]secret.Text{"a": hidden + "\n"} }, "headers.a: has a control character; one line of text"},
		{func(c *httpx.Config) { c.Headers = map[string]secret.Text{"authorization": hidden} }, "headers.authorization: has keys of its own; basic_auth or authorization"},
		{func(c *httpx.Config) { c.BasicAuth.Password = hidden }, "basic_auth.username: is missing; the name that the password belongs to"},
		{func(c *httpx.Config) {
			c.BasicAuth = httpx.BasicAuth{Username: "u", Password: hidden, PasswordFile: "f"}
		}, "basic_auth: has password and password_file; one of them"},
		{func(c *httpx.Config) { c.BasicAuth.Username, c.Authorization.Credentials = "u", hidden }, "authorization: is given beside basic_auth; one of them"},
		{func(c *httpx.Config) { c.Authorization.Credentials, c.Authorization.CredentialsFile = hidden, "f" }, "authorization: has credentials and credentials_file; one of them"},
		{func(c *httpx.Config) { c.Authorization.Type = "Basic" }, "authorization.type: basic has keys of its own; basic_auth"},
		{func(c *httpx.Config) { c.Authorization.Type = "" }, `authorization.type: "" is no word of that header; Bearer, in nearly all cases`},
		{func(c *httpx.Config) { c.TLS.KeyFile = "f" }, "tls_config: has only one of cert_file and key_file; both or none"},
	} {
		var got []string
		for _, p := range config(tc.change).Validate() {
			got = append(got, p.Error())
		}
		if !slices.Equal(got, []string{tc.want}) {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestURL(t *testing.T) {
	for _, tc := range []struct{ url, shown, problem string }{
		{"http://u:" + hidden + "@host:1/a%20b?k=" + hidden + "#" + hidden, "http://host:1/a%20b", ""},
		{"https://host", "https://host", ""},
		{"", "", "url: is missing; an address as E"},
		{"host:9100/metrics", "<not a URL>", "url: does not begin with http:// or https://; an address as E"},
		{"ftp://u:" + hidden + "@host", "ftp://host", "url: does not begin with http:// or https://; an address as E"},
		{"http://:80", "http://:80", "url: names no host; an address as E"},
		{"http://u:" + hidden + "@host:port", "<not a URL>", "url: is not a URL; an address as E"},
		{"http://u:" + hidden + "%zz@host", "<not a URL>", "url: is not a URL; an address as E"},
	} {
		u := secret.URL(tc.url)
		js, err := json.Marshal(u)
		if s := fmt.Sprintf("%v %+v %#v %q %s %s %v", u, u, u, u, u, js, err); strings.Contains(s, hidden) || u.String() != tc.shown {
			t.Errorf("%s is shown as %s", tc.url, s)
		}
		got := ""
		for _, p := range httpx.ValidateURL(u, "E") {
			got += p.Error()
		}
		if got != tc.problem {
			t.Errorf("%s: got %q, want %q", tc.url, got, tc.problem)
		}
	}
}

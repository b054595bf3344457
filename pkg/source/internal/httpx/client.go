package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/secret"
)

// maxRedirects is how many redirects within a server are followed.
const maxRedirects = 5

// Client asks one server. It is safe for concurrent use.
type Client struct {
	cfg    *Config
	base   *url.URL
	http   *http.Client
	hidden secret.Set // but for what stands in files
}

// Open returns a client for the server at u. It reads the certificates that c
// names and connects to nothing yet. The client must be closed.
func (c *Config) Open(u secret.URL) (*Client, error) {
	base, err := u.Parse("http", "https")
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	tlsConfig, err := c.TLS.Load()
	if err != nil {
		return nil, fmt.Errorf("tls_config.%w", err)
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        tlsConfig,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        5 * time.Minute,
		MaxResponseHeaderBytes: 256 << 10,
	}
	return &Client{cfg: c, base: base, hidden: secret.In(c, u), http: &http.Client{Transport: transport, CheckRedirect: redirect}}, nil
}

// redirect keeps redirects within the server: headers may be secrets that are
// meant for it alone.
func redirect(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case req.URL.Host != first.Host || req.URL.Scheme != first.Scheme:
		return fmt.Errorf("it redirects to %s://%s, which is not followed; if that is right, put it into url", req.URL.Scheme, req.URL.Host)
	case len(via) > maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	}
	return nil
}

// Close lets go of the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Host returns the server's name and port, as the URL has them.
func (c *Client) Host() string {
	if c.base.Port() != "" {
		return c.base.Host
	}
	return net.JoinHostPort(c.base.Hostname(), map[string]string{"http": "80", "https": "443"}[c.base.Scheme])
}

// Request is what a server is asked.
type Request struct {
	// Method is GET where it is empty.
	Method string
	// Path is put behind that of the URL.
	Path string
	// Form are the parameters: of a POST its body, otherwise in the URL, in
	// addition to those that are there.
	Form url.Values
	// Header has further headers. What is configured wins.
	Header http.Header
}

// Answer is what a server said.
type Answer struct {
	// Status is the code, such as 200.
	Status int
	// Header are the headers.
	Header http.Header
	// Body is the body, unpacked. Who passed a buffer to Do finds it there.
	Body []byte

	what   string // was asked, for errors
	hidden secret.Set
}

// Do asks, and reads the whole answer into buf, which grows if need be. Whatever
// the status, an answer is no error; see Answer.Err. An error says what was
// asked, and shows no secret.
func (c *Client) Do(ctx context.Context, r Request, buf []byte) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout.Std())
	defer cancel()
	req, hidden, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	a := &Answer{what: req.Method + " " + secret.Plain(req.URL), hidden: hidden}
	resp, err := c.http.Do(req)
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		a.Status, a.Header = resp.StatusCode, resp.Header
		a.Body, err = readAll(resp.Body, buf, int64(c.cfg.MaxAnswer))
	}
	if err != nil {
		return nil, a.wrap(c.explain(ctx, err))
	}
	return a, nil
}

// request makes the request, and returns the secrets that it holds.
func (c *Client) request(ctx context.Context, r Request) (*http.Request, secret.Set, error) {
	u := *c.base
	if r.Path != "" {
		u = *u.JoinPath(r.Path)
	}
	method, body := r.Method, io.Reader(nil)
	switch method {
	case http.MethodPost:
		body = strings.NewReader(r.Form.Encode())
	case "":
		method = http.MethodGet
		fallthrough
	default:
		if len(r.Form) > 0 {
			q := u.Query()
			maps.Copy(q, r.Form)
			u.RawQuery = q.Encode()
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, c.hidden, fmt.Errorf("%s %s: is not a URL", method, secret.Plain(&u))
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", "chartd")
	hidden, err := c.authorize(req)
	return req, hidden, err
}

// authorize sets the headers that are configured, and returns what of the
// request is secret.
func (c *Client) authorize(req *http.Request) (hidden secret.Set, err error) {
	hidden = c.hidden
	for name, value := range c.cfg.Headers {
		req.Header.Set(name, value.Reveal())
		if strings.EqualFold(name, "Host") {
			req.Host = value.Reveal()
		}
	}
	basic, auth := c.cfg.BasicAuth, c.cfg.Authorization
	switch {
	case basic.Username != "":
		password, err := orFile(basic.Password, basic.PasswordFile)
		if err != nil {
			return hidden, fmt.Errorf("basic_auth.password_file: %w", err)
		}
		req.SetBasicAuth(basic.Username, password)
		if basic.PasswordFile != "" {
			hidden = hidden.And(password, req.Header.Get("Authorization"))
		}
	case auth.given():
		token, err := orFile(auth.Credentials, auth.CredentialsFile)
		if err != nil {
			return hidden, fmt.Errorf("authorization.credentials_file: %w", err)
		}
		req.Header.Set("Authorization", auth.Type+" "+token)
		if auth.CredentialsFile != "" {
			hidden = hidden.And(token)
		}
	case c.base.User != nil:
		password, _ := c.base.User.Password()
		req.SetBasicAuth(c.base.User.Username(), password)
	}
	return hidden, nil
}

// orFile returns a secret that stands in the configuration or in a file.
func orFile(text secret.Text, file string) (string, error) {
	if file == "" {
		return text.Reveal(), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s := string(bytes.TrimSpace(b))
	if strings.ContainsAny(s, "\r\n\x00") {
		return "", fmt.Errorf("%s holds more than one line", file)
	}
	return s, nil
}

// readAll reads a body of at most limit bytes into buf.
func readAll(r io.Reader, buf []byte, limit int64) ([]byte, error) {
	b := bytes.NewBuffer(buf[:0])
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		return nil, errTooLarge
	}
	return b.Bytes(), err
}

var errTooLarge = errors.New("the answer is larger than max_answer allows")

// explain leaves out of an error what may be secret or says nothing.
func (c *Client) explain(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no whole answer within %v (timeout)", c.cfg.Timeout)
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("the answer is larger than %v (max_answer)", c.cfg.MaxAnswer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server ended the connection in the middle")
	}
	return err
}

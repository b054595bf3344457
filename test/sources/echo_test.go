package sources

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// These servers tell whoever asks what they were sent: a source must not say it
// again.

// listen serves connections at a port of its own until the test ends, each for
// half a second at most.
func listen(t testing.TB, serve func(net.Conn) error) (addr string) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
				_ = serve(c) // the client may hang up when it likes
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	return ln.Addr().String()
}

// heard returns what comes first, in one line.
func heard(c net.Conn) string {
	buf := make([]byte, 4096)
	n, _ := c.Read(buf)
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(string(buf[:n]))
}

// echo answers in no protocol.
func echo(c net.Conn) error {
	_, err := fmt.Fprintf(c, "-ERR nonsense %s\r\n", heard(c))
	return err
}

// echoRedis refuses all that it is told.
func echoRedis(c net.Conn) error {
	for range 3 {
		if _, err := fmt.Fprintf(c, "-ERR nonsense %s\r\n", heard(c)); err != nil {
			return err
		}
	}
	return nil
}

func echoNATS(c net.Conn) error {
	if _, err := io.WriteString(c, "INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"max_payload\":1048576,\"auth_required\":true,\"nonce\":\"abc\"}\r\n"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c, "-ERR 'nonsense %s'\r\n", strings.ReplaceAll(heard(c), "'", ""))
	return err
}

// echoMQTT refuses in version 5, and says why.
func echoMQTT(c net.Conn) error {
	why := heard(c)
	why = why[max(0, len(why)-100):]
	_, err := c.Write(append([]byte{0x20, byte(6 + len(why)), 0, 0x86, byte(3 + len(why)), 0x1f, 0, byte(len(why))}, why...))
	return err
}

func echoPostgres(c net.Conn) error {
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	b.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := b.Flush(); err != nil {
		return err
	}
	if err := b.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return err
	}
	m, err := b.Receive()
	if err != nil {
		return err
	}
	said := m.(*pgproto3.PasswordMessage).Password
	b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "wrong password " + said, Detail: said, Hint: fmt.Sprintf("not %q", said)})
	return b.Flush()
}

// echoMySQL asks for the password as it is, and repeats it.
func echoMySQL(c net.Conn) error {
	send := func(seq byte, payload []byte) error {
		_, err := c.Write(append([]byte{byte(len(payload)), byte(len(payload) >> 8), byte(len(payload) >> 16), seq}, payload...))
		return err
	}
	const capabilities = 1 | 8 | 0x200 | 0x8000 | 0x80000 // long password, with database, protocol 4.1, secure connection, plugins
	hello := append([]byte{10}, "8.0.0\x00"...)
	hello = binary.LittleEndian.AppendUint32(hello, 1)
	hello = append(hello, "12345678\x00"...)
	hello = append(hello, capabilities&0xff, capabilities>>8&0xff, 45, 2, 0, capabilities>>16&0xff, capabilities>>24, 21)
	hello = append(append(hello, make([]byte, 10)...), "123456789012\x00mysql_clear_password\x00"...)
	if err := send(0, hello); err != nil {
		return err
	}
	said := heard(c)
	return send(2, append([]byte{0xff, 0x15, 0x04}, "#28000wrong password "+said[min(36, len(said)):]...))
}

// newEchoKafka returns a cluster of which each answer to a password repeats it.
func newEchoKafka(t testing.TB) (addr string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "nobody", "nothing"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = new("not " + string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes))
		return resp, nil, true
	})
	return cluster.ListenAddrs()[0]
}

// told is all that a request says, once as it is and once decoded.
func told(r *http.Request) string {
	all := []string{r.Method, r.URL.String(), fmt.Sprint(r.URL.Query())}
	for name, values := range r.Header {
		all = append(all, name+"="+strings.Join(values, ","))
		for word := range strings.FieldsSeq(strings.Join(values, " ")) {
			if b, err := base64.StdEncoding.DecodeString(word); err == nil {
				all = append(all, string(b))
			}
		}
	}
	return strings.Join(all, " ")
}

// echoHTTP returns servers that answer with what they were sent: in the reason
// of a refusal, in a redirect, in the words of Prometheus, in rows and metrics
// that cannot be read, and where the status should be.
func echoHTTP(t testing.TB) (addrs []string) {
	t.Helper()
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusForbidden)
			// A long line, which is cut somewhere within the secrets.
			fmt.Fprintf(w, "no: %s", strings.Repeat(told(r)+" ", 10))
		},
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/?said="+strings.ReplaceAll(told(r), " ", "+"), http.StatusFound)
		},
		func(w http.ResponseWriter, r *http.Request) {
			said := strconv.Quote(told(r))
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"status":"error","errorType":%s,"error":%s,"warnings":[%s]}`, said, said, said)
		},
		func(w http.ResponseWriter, r *http.Request) {
			said := strconv.Quote(told(r))
			switch {
			case strings.HasSuffix(r.URL.Path, "query_range"):
				fmt.Fprintf(w, `{"status":"success","warnings":[%s],"data":{"resultType":%s,"result":[]}}`, said, said)
			case strings.Contains(r.Header.Get("Accept"), "openmetrics"):
				w.Header().Set("Content-Type", "text/plain; version=0.0.4")
				fmt.Fprintf(w, "good 1\n%s\nm{a=%s 1\nm %s\n", said, said, said)
			default:
				fmt.Fprintf(w, `[{"time":%s,"v":1},{"time":"x","w":%s}] %s`, said, said, said)
			}
		},
	} {
		addrs = append(addrs, strings.TrimPrefix(serveHTTP(t, h), "http://"))
	}
	return append(addrs, listen(t, func(c net.Conn) error {
		_, err := fmt.Fprintf(c, "HTTP/1.1 500 %s\r\nWWW-Authenticate: x\r\n\r\n", heard(c))
		return err
	}))
}

func serveHTTP(t testing.TB, h http.Handler) (base string) {
	t.Helper()
	addr := address(t)
	serveAt(t, addr, h)
	return "http://" + addr
}

// trace collects what is logged.
type trace struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *trace) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *trace) Sync() error { return nil }

func (l *trace) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// askAs returns what an address answers to whoever shows a token.
func askAs(t testing.TB, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if err := resp.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

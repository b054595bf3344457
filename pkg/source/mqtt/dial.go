package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// dial connects to the broker, by TCP, TLS or WebSocket.
func (c *Config) dial(ctx context.Context) (net.Conn, error) {
	u, err := c.url()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	var secure *tls.Config
	if u.Scheme == "mqtts" || u.Scheme == "wss" {
		if secure, err = c.TLS.Load(); err != nil {
			return nil, fmt.Errorf("tls_config.%w", err)
		}
	}
	var conn net.Conn
	switch u.Scheme {
	case "mqtt":
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	case "mqtts":
		conn, err = (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", u.Host)
	default:
		conn, err = dialWebSocket(ctx, u, secure)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to %v: %w", c.Broker, err)
	}
	return conn, nil
}

func dialWebSocket(ctx context.Context, u *url.URL, secure *tls.Config) (net.Conn, error) {
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure, Subprotocols: []string{"mqtt"}}
	ws, resp, err := d.DialContext(ctx, u.String(), nil)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("it answers %s, not as a WebSocket does", resp.Status)
		}
		return nil, err
	}
	return &webSocket{Conn: ws}, nil
}

// webSocket is a connection whose bytes travel in binary messages. MQTT does not
// mind how they are cut.
type webSocket struct {
	*websocket.Conn
	in io.Reader // the rest of a message; nil between two
}

// Read implements net.Conn.
func (w *webSocket) Read(p []byte) (int, error) {
	for {
		if w.in == nil {
			kind, in, err := w.NextReader()
			if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
				return 0, io.EOF
			}
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, fmt.Errorf("the broker sent text over WebSocket; MQTT is binary")
			}
			w.in = in
		}
		n, err := w.in.Read(p)
		if err == io.EOF {
			w.in, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (w *webSocket) Write(p []byte) (int, error) {
	if err := w.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline implements net.Conn.
func (w *webSocket) SetDeadline(t time.Time) error {
	if err := w.SetReadDeadline(t); err != nil {
		return err
	}
	return w.SetWriteDeadline(t)
}

package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
)

// TLS is the `tls:` part of the section: with it, the server speaks https and wss
// and nothing else.
type TLS struct {
	// Cert is a file with the certificate and those that lead from it to a
	// root, as PEM. It is read again when it or the key changes; if it is not
	// good then, the old one goes on and the log says why.
	Cert string `yaml:"cert"`
	// Key is a file with the certificate's key, as PEM.
	Key string `yaml:"key"`
	// HSTS tells browsers to come back by https only, for this long; 0 does not.
	HSTS quantity.Duration `yaml:"hsts"`
}

// enabled reports whether there is a certificate at all.
func (t *TLS) enabled() bool { return t.Cert != "" }

// recheck is how old the last look at the files may be when a client comes.
const recheck = time.Second

// certs is the certificate that clients are shown. It has no goroutine: a
// handshake looks at the files now and then.
type certs struct {
	log     *zap.Logger
	metrics *metrics
	now     atomic.Pointer[served]
	looking atomic.Bool
	looked  atomic.Int64 // ns since the Unix epoch
}

// served is a certificate and the files that it was read from. It is immutable.
type served struct {
	files TLS
	state [2]fileState
	cert  *tls.Certificate
}

// fileState tells one state of a file from another without reading it.
type fileState struct {
	size int64
	time time.Time
	ok   bool
}

// use reads the certificate of a configuration. After an error, the one that was
// shown until now goes on.
func (c *certs) use(files TLS) error {
	if !files.enabled() {
		return nil
	}
	next := &served{files: files, state: states(files)}
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return fmt.Errorf("server.tls: %w", err)
	}
	next.cert = &cert
	c.now.Store(next)
	c.metrics.certEnds.Set(float64(cert.Leaf.NotAfter.Unix()))
	return nil
}

func states(files TLS) (out [2]fileState) {
	for i, name := range []string{files.Cert, files.Key} {
		if info, err := os.Stat(name); err == nil {
			out[i] = fileState{info.Size(), info.ModTime(), true}
		}
	}
	return out
}

// get returns the certificate for a handshake.
func (c *certs) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := time.Now().UnixNano()
	since := now - c.looked.Load() // far below zero when the clock was set back
	if (since > int64(recheck) || since < -int64(recheck)) && c.looking.CompareAndSwap(false, true) {
		c.looked.Store(now)
		c.look()
		c.looking.Store(false)
	}
	if s := c.now.Load(); s != nil {
		return s.cert, nil
	}
	return nil, errors.New("there is no certificate")
}

// look reads the files again if they have changed.
func (c *certs) look() {
	s := c.now.Load()
	if s == nil {
		return
	}
	state := states(s.files)
	if state == s.state {
		return
	}
	if err := c.use(s.files); err != nil {
		// Not again until they change once more: they may be half written now.
		c.now.Store(&served{s.files, state, s.cert})
		c.metrics.certFailures.Inc()
		c.log.Error("the new certificate is not good; the old one goes on", zap.Error(err), zap.Time("until", s.cert.Leaf.NotAfter))
		return
	}
	c.log.Info("the certificate was read again", zap.Time("until", c.now.Load().cert.Leaf.NotAfter))
}

// config returns how TLS is spoken. There is no HTTP/2: a WebSocket begins with
// HTTP/1.1, and browsers would need a connection more.
func (c *certs) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

// strict tells browsers to come back by https, if the configuration wants that.
func (t *TLS) strict(h http.Header) {
	if t.enabled() && t.HSTS > 0 {
		h.Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(t.HSTS.Std()/time.Second), 10))
	}
}

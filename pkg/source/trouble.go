package source

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Brief is implemented by errors that have a word or two for who looks at a
// chart: "401 Unauthorized". It must not tell where a source is, or any secret.
type Brief interface {
	error
	// Brief returns the words.
	Brief() string
}

// Trouble returns in a few words why the source of that name has brought
// nothing since it last failed; "" if it is well, or if there is none. Viewers
// of charts see it, so addresses and names are left out: Status has them.
func (m *Manager) Trouble(name string) string {
	m.mu.Lock()
	r := m.runners[name]
	m.mu.Unlock()
	if r == nil {
		return ""
	}
	if f := r.meter.err.Load(); f != nil {
		return f.brief
	}
	return ""
}

// Waiting returns in a few words why a source that has brought nothing since
// chartd began last failed; of several, of the one whose name comes first; "" if
// there is none. Viewers of charts see it.
func (m *Manager) Waiting() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	first, said := "", ""
	for name, r := range m.runners {
		f := r.meter.err.Load()
		if f != nil && r.meter.last.Load() == 0 && (said == "" || name < first) {
			first, said = name, f.brief
		}
	}
	return said
}

// brief says what an error is about without where.
func brief(err error) string {
	if b, ok := errors.AsType[Brief](err); ok {
		return b.Brief()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "no such host"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "timed out"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate not trusted"
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "no such file"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed"
	}
	return "its source fails"
}

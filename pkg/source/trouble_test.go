package source

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/store"
)

type known struct{ error }

func (known) Brief() string { return "401 Unauthorized" }

// TestBrief: what viewers read names the trouble, and neither hosts, nor paths,
// nor anything that was answered.
func TestBrief(t *testing.T) {
	const secret = "db.internal:5432/hunter2"
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection refused"},
		{&net.DNSError{Name: secret, Err: "no such host"}, "no such host"},
		{context.DeadlineExceeded, "timed out"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "timed out"},
		{x509.UnknownAuthorityError{}, "certificate not trusted"},
		{&os.PathError{Op: "open", Path: secret, Err: syscall.EACCES}, "permission denied"},
		{&os.PathError{Op: "open", Path: secret, Err: os.ErrNotExist}, "no such file"},
		{io.ErrUnexpectedEOF, "connection closed"},
		{known{errors.New(secret)}, "401 Unauthorized"},
		{errors.New("password hunter2 is wrong"), "its source fails"},
	} {
		got := brief(fmt.Errorf("get http://%s: %w", secret, c.err))
		if got != c.want || strings.Contains(got, "hunter2") {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// TestWaiting: of the sources that fail, those are spoken of that have brought
// nothing yet, the first by name.
func TestWaiting(t *testing.T) {
	m := NewManager(store.New(store.DefaultConfig(), nil), zap.NewNop(), nil)
	want := func(want string) {
		t.Helper()
		if got := m.Waiting(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	want("")
	for _, name := range []string{"b", "c", "a"} {
		m.runners[name] = &runner{name: name, meter: newMeter(m.from(name))}
	}
	want("")
	m.runners["b"].meter.failed(syscall.ECONNREFUSED)
	m.runners["c"].meter.failed(context.DeadlineExceeded)
	want("connection refused")
	m.runners["a"].meter.failed(os.ErrNotExist)
	want("no such file")
	for _, name := range []string{"a", "b"} {
		if err := m.runners[name].meter.Append("m", nil, 1, 1); err == nil {
			t.Error("a sample of 1970 was taken")
		}
	}
	want("no such file") // nothing was taken
	for _, name := range []string{"a", "b"} {
		if err := m.runners[name].meter.Append("m", nil, time.Now().UnixMilli(), 1); err != nil {
			t.Fatal(err)
		}
		m.runners[name].meter.failed(syscall.ECONNREFUSED)
	}
	want("timed out")
}

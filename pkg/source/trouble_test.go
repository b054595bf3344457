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

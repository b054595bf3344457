package receive

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// Bodies opens the bodies of requests: it unpacks them and bounds their size,
// packed and unpacked, so that a small body cannot become a large one.
type Bodies struct {
	// Max is the most that a body may hold, in bytes.
	Max quantity.Bytes

	unzippers sync.Pool
}

// BodyError says why a body is not read, or no further, and with which status
// that is answered.
type BodyError struct {
	Status int
	Reason string
}

// Error returns the reason.
func (e *BodyError) Error() string { return e.Reason }

// Body is the open body of a request. Read fails with a *BodyError.
type Body struct {
	src  io.Reader
	left int64 // bytes that may still be read
	max  quantity.Bytes
	zip  *gzip.Reader
	from *Bodies
	now  store.Moment // of what was read last
}

// Open returns the body of r, or a *BodyError. The body must be closed.
func (bs *Bodies) Open(w http.ResponseWriter, r *http.Request) (*Body, error) {
	if r.ContentLength > int64(bs.Max) {
		return nil, tooLarge(bs.Max)
	}
	b := &Body{src: http.MaxBytesReader(w, r.Body, int64(bs.Max)), left: int64(bs.Max), max: bs.Max, from: bs}
	switch enc := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
	case "gzip", "x-gzip":
		if err := b.unzip(); err != nil {
			return nil, b.explain(err)
		}
	default:
		w.Header().Set("Accept-Encoding", "gzip")
		return nil, &BodyError{http.StatusUnsupportedMediaType, fmt.Sprintf("content encoding %q is not understood; send gzip, or none", enc)}
	}
	return b, nil
}

// Read reads the body of r as it came, packed or not, into buf, which grows if
// need be. It fails with a *BodyError.
func (bs *Bodies) Read(w http.ResponseWriter, r *http.Request, buf []byte) ([]byte, error) {
	if r.ContentLength > int64(bs.Max) {
		return buf, tooLarge(bs.Max)
	}
	b := &Body{src: http.MaxBytesReader(w, r.Body, int64(bs.Max)), max: bs.Max}
	out := bytes.NewBuffer(buf[:0])
	if n := r.ContentLength; n > 0 {
		out.Grow(int(n) + bytes.MinRead) // so that it grows once
	}
	if _, err := out.ReadFrom(b.src); err != nil {
		return out.Bytes(), b.explain(err)
	}
	return out.Bytes(), nil
}

func (b *Body) unzip() (err error) {
	if z, ok := b.from.unzippers.Get().(*gzip.Reader); ok {
		b.zip, err = z, z.Reset(b.src)
	} else {
		b.zip, err = gzip.NewReader(b.src)
	}
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	b.src = b.zip
	return nil
}

// Appender returns app for the samples that stand in the body. They are taken at
// the time at which the piece came that they stand in: the clock is not asked
// for each. It is for the goroutine that reads the body.
func (b *Body) Appender(app store.Appender) *store.Moment {
	b.now.Of(app)
	return &b.now
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	defer b.now.Renew()
	if b.left < 0 {
		return 0, tooLarge(b.max)
	}
	// One byte more than may be read tells a body that ends there from one
	// that goes on.
	n, err := b.src.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	switch {
	case b.left < 0:
		return n - 1, tooLarge(b.max)
	case err != nil && !errors.Is(err, io.EOF):
		return n, b.explain(err)
	}
	return n, err
}

// Close releases what unpacking needed.
func (b *Body) Close() {
	if b.zip != nil {
		b.from.unzippers.Put(b.zip)
		b.zip = nil
	}
}

// Status returns the status that answers an error of Open or Read, and sets the
// headers that go with it.
func Status(w http.ResponseWriter, err error) int {
	e, ok := errors.AsType[*BodyError](err)
	if !ok {
		return http.StatusBadRequest
	}
	if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	return e.Status
}

func (b *Body) explain(err error) *BodyError {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(b.max)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &BodyError{http.StatusServiceUnavailable, "the rest of the body did not come in time, or this source is stopping"}
	}
	return &BodyError{http.StatusBadRequest, "reading the body: " + err.Error()}
}

func tooLarge(limit quantity.Bytes) *BodyError {
	return &BodyError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %v (max_body of the source); send it in parts", limit)}
}

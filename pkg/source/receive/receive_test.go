package receive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestBodiesAreBounded reads bodies of every size around the bound, packed or
// not, in pieces of every size: what is within it is read whole, and of what is
// not, no byte beyond it.
func TestBodiesAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 2000).Draw(t, "limit")
		content := bytes.Repeat([]byte("x"), rapid.IntRange(1, 4000).Draw(t, "size"))
		bodies := receive.Bodies{Max: quantity.Bytes(limit)}
		for range 2 { // the second time with what the first has left in the pool
			sent := content
			packed := rapid.Bool().Draw(t, "packed")
			if packed {
				var buf bytes.Buffer
				w := gzip.NewWriter(&buf)
				_, _ = w.Write(content)
				_ = w.Close()
				sent = buf.Bytes()
			}
			var src io.Reader = bytes.NewReader(sent)
			if rapid.Bool().Draw(t, "slow") {
				src = iotest.OneByteReader(src)
			}
			r := httptest.NewRequest(http.MethodPost, "/", src)
			if packed {
				r.Header.Set("Content-Encoding", "GZip")
			}
			if rapid.Bool().Draw(t, "chunked") {
				r.ContentLength = -1
			}
			body, err := bodies.Open(httptest.NewRecorder(), r)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(body)
				body.Close()
			}
			fits := len(content) <= limit && len(sent) <= limit
			if fits != (err == nil) || fits && len(got) != len(content) || len(got) > limit {
				t.Fatalf("%d of %d bytes (sent as %d), limit %d: %v", len(got), len(content), len(sent), limit, err)
			}
			if err != nil && receive.Status(httptest.NewRecorder(), err) != http.StatusRequestEntityTooLarge {
				t.Fatalf("status of %v", err)
			}
		}
	})
}

func TestGateOpensAndCloses(t *testing.T) {
	var gate receive.Gate
	if _, _, ok := gate.Enter(httptest.NewRecorder()); ok {
		t.Fatal("a gate that nobody opened is open")
	}
	ctx, stop := context.WithCancel(t.Context())
	st := store.New(store.DefaultConfig(), nil)
	var run sync.WaitGroup
	run.Go(func() {
		if err := gate.Run(ctx, st); err != nil {
			t.Error(err)
		}
	})
	for {
		if app, leave, ok := gate.Enter(httptest.NewRecorder()); ok {
			if app != store.Appender(st) {
				t.Error("the gate leads somewhere else")
			}
			leave()
			break
		}
	}
	stop()
	run.Wait()
	if _, _, ok := gate.Enter(httptest.NewRecorder()); ok {
		t.Error("the gate stays open")
	}
	w := httptest.NewRecorder()
	if code := receive.Status(w, receive.ErrClosed); code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a closed gate is %d", code)
	}
	if code := receive.Status(w, errors.New("any")); code != http.StatusBadRequest {
		t.Errorf("any error is %d", code)
	}
}

func TestTally(t *testing.T) {
	full := fmt.Errorf("m: %w", &store.LimitError{Setting: "store.max_series", Limit: 1})
	var tally receive.Tally
	if tally.Full() {
		t.Error("nothing was rejected, but it is full")
	}
	for i := range 150 {
		tally.Refused(i+1, full)
	}
	if !tally.Full() || len(tally.Listed) != 100 || tally.More != 50 || tally.Rejected() != 150 || tally.Listed[99].Line != 100 {
		t.Errorf("%v, %d listed, %d more", tally.Full(), len(tally.Listed), tally.More)
	}
	tally.Accepted++
	if tally.Full() || tally.Summary("lines") != "150 of 151 lines were rejected" {
		t.Errorf("%v, %s", tally.Full(), tally.Summary("lines"))
	}
	tally = receive.Tally{}
	tally.Refused(1, full)
	tally.Refused(2, store.ErrTooOld)
	if tally.Full() {
		t.Error("it is full, though one was too old")
	}
	tally.Report(func(int, error) { t.Error("what the store refused is said to be unread") })
	why := errors.New("not JSON")
	tally.Unread(3, why)
	tally.Unread(4, why)
	reported := 0
	tally.Report(func(n int, err error) { reported = n })
	if reported != 2 || tally.Rejected() != 4 {
		t.Errorf("%d are unread, %d rejected", reported, tally.Rejected())
	}
}

func TestNamesAreBounded(t *testing.T) {
	var names receive.Names
	for i := range 20_000 {
		want := fmt.Sprint("name", i%6000)
		if got := names.String([]byte(want)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	long := []byte(strings.Repeat("x", 10_000))
	known := []byte("name1")
	names.String(known)
	if n := testing.AllocsPerRun(10, func() { names.String(known) }); n != 0 {
		t.Errorf("a known name allocates %v times", n)
	}
	if n := testing.AllocsPerRun(10, func() { names.String(long) }); n == 0 {
		t.Error("a long name is kept")
	}
}

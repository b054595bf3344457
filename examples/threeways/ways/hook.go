package ways

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hook is the second way: a server that chartd asks, the webhook of the chart
// "webhook". It would be a program of its own, in whatever language.
type Hook struct {
	secret  string
	url     string
	server  *http.Server
	serving sync.WaitGroup
}

// ListenHook starts a Hook on a free port of this machine. Close it.
func ListenHook(ctx context.Context) (*Hook, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &Hook{secret: rand.Text(), url: "http://" + ln.Addr().String() + "/"}
	h.server = &http.Server{Handler: h, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	h.serving.Go(func() { _ = h.server.Serve(ln) }) // it returns when the server is closed
	return h, nil
}

// Close ends the server and waits for it.
func (h *Hook) Close() {
	_ = h.server.Close()
	h.serving.Wait()
}

// lookup returns what chartd.yaml must know of the hook.
func (h *Hook) lookup(name string) (value string, ok bool) {
	value, ok = map[string]string{"HOOK_URL": h.url, "HOOK_SECRET": h.secret}[name]
	return value, ok
}

// asked is what the hook reads of a request.
type asked struct {
	Cause    string `json:"cause"`
	Argument any    `json:"argument"`
}

// ServeHTTP implements http.Handler: it answers one callback.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body is too large, or ends too early", http.StatusBadRequest)
		return
	}
	if !genuine(h.secret, r.Header.Get("Chartd-Signature"), body, time.Now()) {
		http.Error(w, "this is not from chartd", http.StatusUnauthorized)
		return
	}
	var call asked
	if err := json.Unmarshal(body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := map[string]any{}
	switch {
	case call.Cause == "tick":
		answer["samples"] = []any{map[string]any{"metric": "second", "labels": map[string]string{"way": "webhook"}, "v": second(time.Now())}}
	case call.Argument == "MyCustomArgs":
		answer["set"] = map[string]any{"title": "Changed by a webhook", "window": "2m"}
		answer["reply"] = map[string]string{"by": "webhook"}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // who asked may be gone
}

// maxAge is how old a signature may be.
const maxAge = 5 * time.Minute

// genuine reports whether body is from who knows the secret, and new. header is
// "t=1700000000,v1=<hex>".
func genuine(secret, header string, body []byte, now time.Time) bool {
	t, v1, ok := strings.Cut(header, ",")
	t, hasT := strings.CutPrefix(t, "t=")
	v1, hasV1 := strings.CutPrefix(v1, "v1=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	got, bad := hex.DecodeString(v1)
	if !ok || !hasT || !hasV1 || err != nil || bad != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil)) && now.Sub(time.Unix(seconds, 0)).Abs() < maxAge
}

package influx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/chartd/chartd/pkg/source/receive"
)

// result is what became of a request that is not answered 204.
type result struct {
	status int
	err    error // of the whole request; may be nil
	tally  receive.Tally
}

// reasons says what was wrong with the whole, or the first lines, and how many
// more there are.
func (res result) reasons() string {
	const most = 20
	var parts []string
	if res.err != nil {
		parts = append(parts, res.err.Error())
	}
	listed := res.tally.Listed[:min(most, len(res.tally.Listed))]
	for _, r := range listed {
		parts = append(parts, fmt.Sprintf("line %d: %s", r.Line, r.Reason))
	}
	if more := res.tally.Rejected() - len(listed); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}

// answerV1 answers as InfluxDB 1 does: a write that was refused in part ends in
// "dropped=" and a number.
func answerV1(w http.ResponseWriter, res result) {
	text := res.reasons()
	if n := res.tally.Rejected(); n > 0 {
		text = fmt.Sprintf("partial write: %s dropped=%d", text, n)
	}
	w.Header().Set("X-Influxdb-Error", headerText(text))
	send(w, res.status, struct {
		Error string `json:"error"`
	}{text})
}

// answerV2 answers as InfluxDB 2 does, with a code, a message, and the first
// line that was refused.
func answerV2(w http.ResponseWriter, res result) {
	code := map[int]string{
		http.StatusRequestEntityTooLarge: "request too large",
		http.StatusTooManyRequests:       "too many requests",
		http.StatusServiceUnavailable:    "unavailable",
		http.StatusMethodNotAllowed:      "method not allowed",
	}[res.status]
	if code == "" {
		code = "invalid"
	}
	text, line := res.reasons(), 0
	if len(res.tally.Listed) > 0 {
		line = res.tally.Listed[0].Line
		text = fmt.Sprintf("partial write: %s: %s", res.tally.Summary("lines"), text)
	}
	send(w, res.status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Line    int    `json:"line,omitempty"`
	}{code, text, line})
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// headerText makes a text fit for a header.
func headerText(s string) string {
	const most = 512
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(most, len(s))]
}

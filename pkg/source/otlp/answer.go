package otlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/chartd/chartd/pkg/source/receive"
)

// The codes that a google.rpc.Status has for what is refused here.
const (
	codeInvalid   = 3
	codeExhausted = 8
	codeAway      = 14
)

// answer says what became of the points of a request.
func answer(w http.ResponseWriter, enc encoding, tally *receive.Tally) {
	if tally.Rejected() == 0 {
		write(w, enc, http.StatusOK, nil, struct{}{})
		return
	}
	first := tally.Listed[0]
	text := fmt.Sprintf("%s; the first, point %d: %s", tally.Summary("points"), first.Line, first.Reason)
	if tally.Full() {
		w.Header().Set("Retry-After", receive.RetryAfterFull)
		fail(w, enc, http.StatusTooManyRequests, text)
		return
	}
	// ExportMetricsServiceResponse
	partial := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(tally.Rejected()))
	partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), text)
	type success struct {
		Rejected int    `json:"rejectedDataPoints,string"`
		Message  string `json:"errorMessage"`
	}
	write(w, enc, http.StatusOK, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial), struct {
		Partial success `json:"partialSuccess"`
	}{success{tally.Rejected(), text}})
}

// refuse answers a request of which nothing was taken.
func refuse(w http.ResponseWriter, enc encoding, err error) {
	fail(w, enc, receive.Status(w, err), err.Error())
}

// fail answers with a google.rpc.Status, as the protocol asks for.
func fail(w http.ResponseWriter, enc encoding, status int, text string) {
	code := codeInvalid
	switch status {
	case http.StatusTooManyRequests:
		code = codeExhausted
	case http.StatusServiceUnavailable:
		code = codeAway
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), text)
	write(w, enc, status, b, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, text})
}

// write sends a message, of which binary is the protobuf and object the JSON.
func write(w http.ResponseWriter, enc encoding, status int, binary []byte, object any) {
	body := binary
	if enc == asJSON {
		var err error
		if body, err = json.Marshal(object); err != nil { // numbers and texts
			err = errors.Join(errors.New("encode the answer"), err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", string(enc))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the sender may be gone; there is nobody else to tell
}

func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, r.Method+" is not understood here; it is for an exporter of OpenTelemetry, which POSTs", http.StatusMethodNotAllowed)
}

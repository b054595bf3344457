package prometheus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/chartd/chartd/pkg/source/internal/httpx"
)

// refusal is an answer that is about one query: the server is there, and another
// query may fare better.
type refusal struct{ error }

// Unwrap returns what the answer was.
func (r *refusal) Unwrap() error { return r.error }

// result is what a query gave.
type result struct {
	series     []line
	histograms int    // values that are native histograms, which are no numbers
	warnings   string // of the server, about the query
}

// line is one series of an answer.
type line struct {
	Labels     map[string]string `json:"metric"`
	Values     []point           `json:"values"`
	Histograms []json.RawMessage `json:"histograms"`
}

// point is a time in ms and a value, which the API writes as [seconds, "value"].
type point struct {
	t int64
	v float64
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *point) UnmarshalJSON(b []byte) error {
	body, ok := bytes.CutPrefix(b, []byte{'['})
	body, ok2 := bytes.CutSuffix(body, []byte{']'})
	at, value, ok3 := bytes.Cut(body, []byte{','})
	value = bytes.TrimSpace(value)
	if !ok || !ok2 || !ok3 || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return fmt.Errorf("%.60q is no sample; want [seconds, \"value\"]", b)
	}
	seconds, err := strconv.ParseFloat(string(bytes.TrimSpace(at)), 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > 1e15 {
		return fmt.Errorf("%.60q is no time in seconds", at)
	}
	p.t = int64(math.Round(seconds * 1000))
	if p.v, err = strconv.ParseFloat(string(value[1:len(value)-1]), 64); err != nil {
		return fmt.Errorf("%.60q is no value", value)
	}
	return nil
}

// read reads an answer of the API. An error shows no secret; it is a *refusal if
// it is about the query alone.
func read(a *httpx.Answer) (result, error) {
	var body struct {
		Status    string   `json:"status"`
		ErrorType string   `json:"errorType"`
		Error     string   `json:"error"`
		Warnings  []string `json:"warnings"`
		Data      struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	err := json.Unmarshal(a.Body, &body)
	switch {
	case err == nil && body.Status == "error":
		said := &refusal{a.Wrap(fmt.Errorf("%.40s: %.300s", a.Scrub(body.ErrorType), a.Scrub(body.Error)))}
		// These are about the server, not about the query.
		if a.Status == 401 || a.Status == 403 || a.Status == 429 || a.Status >= 500 && body.ErrorType != "timeout" {
			return result{}, said.error
		}
		return result{}, said
	case a.Err() != nil:
		return result{}, a.Err()
	case err != nil:
		return result{}, a.Wrap(fmt.Errorf("the answer is not that of Prometheus' API: %w", err))
	case body.Status != "success" || body.Data.Type != "matrix":
		return result{}, a.Wrap(errors.New("the answer is not that of Prometheus' API to query_range"))
	}
	res := result{warnings: fmt.Sprintf("%.300s", a.Scrub(strings.Join(body.Warnings, "; ")))}
	if err := json.Unmarshal(body.Data.Result, &res.series); err != nil {
		return result{}, a.Wrap(fmt.Errorf("the answer is not that of Prometheus' API: %w", err))
	}
	for _, l := range res.series {
		res.histograms += len(l.Histograms)
	}
	return res, nil
}

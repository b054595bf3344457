package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 64 << 10

// answer is what a webhook may say. Nothing is required.
type answer struct {
	// Set changes the view, as a row's set does.
	Set *plotting.Change `json:"set"`
	// Samples are appended to the store.
	Samples []sample `json:"samples"`
	// Marks are added to the annotations of the view.
	Marks []plotting.Mark `json:"marks"`
	// Reply is what the caller's promise gets.
	Reply json.RawMessage `json:"reply"`
}

// sample is one value of a series.
type sample struct {
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels"`
	T      *int64            `json:"t"` // ms; now if absent
	V      *float64          `json:"v"`
}

// parseAnswer reads a body; an empty one says nothing.
func parseAnswer(body []byte) (*answer, error) {
	a := new(answer)
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // which some servers begin every text with
	if len(bytes.TrimSpace(body)) == 0 {
		return a, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(a); err != nil {
		return nil, plain(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON")
	}
	for i, s := range a.Samples {
		switch {
		case s.Metric == "":
			return nil, fmt.Errorf("samples[%d].metric is missing", i)
		case s.V == nil:
			return nil, fmt.Errorf("samples[%d].v is missing", i)
		}
	}
	return a, nil
}

// plain says what encoding/json means in the words of who writes a webhook.
func plain(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return errors.New(problem.OfJSON(e))
		}
		return fmt.Errorf("%s is %s", e.Field, problem.OfJSON(e))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("the field %.60s is not known; there are set, samples, marks and reply, and the fields of a view, a sample and a mark", name)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends in the middle")
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is no JSON: %w at byte %d", e, e.Offset)
	}
	return err
}

// apply does what the answer says. What only can be refused comes first, so that
// a bad change appends nothing.
func (a *answer) apply(call *session.Call) error {
	if a.Set != nil {
		if err := call.Set(*a.Set); err != nil {
			return fmt.Errorf("set: %w", err)
		}
	}
	now := time.Now().UnixMilli()
	if len(a.Marks) > 0 {
		if err := annotate(call, a.Marks, now); err != nil {
			return err
		}
	}
	if len(a.Reply) > 0 && string(a.Reply) != "null" {
		if err := call.Reply(a.Reply); err != nil {
			return err
		}
	}
	for i, s := range a.Samples {
		t := now
		if s.T != nil {
			t = *s.T
		}
		if err := call.Append(s.Metric, store.LabelsOf(s.Labels), t, *s.V); err != nil {
			return fmt.Errorf("samples[%d]: %w", i, err)
		}
	}
	return nil
}

// annotate adds marks to those of the view; the oldest go where there are too
// many.
func annotate(call *session.Call, more []plotting.Mark, now int64) error {
	marks := call.View().Marks()
	for _, m := range more {
		if m.T == 0 {
			m.T = now
		}
		marks = append(marks, m)
	}
	slices.SortStableFunc(marks, func(a, b plotting.Mark) int { return cmp.Compare(a.T, b.T) })
	marks = marks[max(0, len(marks)-plotting.MaxMarks):]
	return call.Set(plotting.Change{Marks: &marks})
}

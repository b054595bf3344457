package receive

import (
	"errors"
	"fmt"

	"github.com/chartd/chartd/pkg/store"
)

// maxListed is how many rejections an answer lists.
const maxListed = 100

// RetryAfterFull is the value of Retry-After with 429, in seconds: the store
// looks for series to drop about once a minute.
const RetryAfterFull = "30"

// Tally counts what became of a request's samples.
type Tally struct {
	// Accepted counts the samples, or lines, that were taken.
	Accepted int
	// Listed are the first rejections, in order.
	Listed []Rejection
	// More counts the rejections that are not listed.
	More int

	atLimit int   // rejections because the store was full
	unread  int   // samples that did not get as far as the store
	why     error // of the last of them
}

// Rejection is one sample, or line, that was not taken.
type Rejection struct {
	// Line is where it stands in the body, from 1.
	Line int `json:"line"`
	// Reason is for people: what is wrong, and what would be right.
	Reason string `json:"reason"`
}

// Unread counts a sample that could not be read.
func (t *Tally) Unread(line int, err error) {
	t.unread++
	t.why = err
	t.list(line, err)
}

// Report says through a source's Deps.Reject what could not be read.
func (t *Tally) Report(reject func(n int, err error)) {
	if t.unread > 0 {
		reject(t.unread, t.why)
	}
}

// Refused counts a sample, or a line, that the store did not take.
func (t *Tally) Refused(line int, err error) {
	if _, ok := errors.AsType[*store.LimitError](err); ok {
		t.atLimit++
	}
	t.list(line, err)
}

func (t *Tally) list(line int, err error) {
	if len(t.Listed) == maxListed {
		t.More++
		return
	}
	t.Listed = append(t.Listed, Rejection{line, err.Error()})
}

// Rejected returns how many there were.
func (t *Tally) Rejected() int { return len(t.Listed) + t.More }

// Full reports whether nothing was taken, and only because the store is full:
// the same request may succeed later.
func (t *Tally) Full() bool { return t.Accepted == 0 && t.atLimit > 0 && t.atLimit == t.Rejected() }

// Summary says what happened in one sentence about things, such as "samples".
func (t *Tally) Summary(things string) string {
	return fmt.Sprintf("%d of %d %s were rejected", t.Rejected(), t.Accepted+t.Rejected(), things)
}

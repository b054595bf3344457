package script

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
)

// limits bound one run of a script.
type limits struct {
	// steps are those of Starlark's interpreter, and what large operations are
	// charged beside them.
	steps uint64
	// memory is how many bytes operations may make in all. What a run drops again
	// counts, too: a run is short, and nobody waits for the garbage collector.
	memory int
	// value is the weight of the largest value that an operation may look through.
	value int
}

// defaultLimits are those of every script: some tens of ms of a processor, and,
// with what steps make, below 100 MiB in the worst case.
func defaultLimits() limits { return limits{steps: 1_000_000, memory: 32 << 20, value: 1 << 20} }

const (
	nodeWeight  = 16   // bytes: an element of a list
	maxDepth    = 100  // of values inside values
	maxBits     = 1024 // of an integer
	stepBytes   = 256  // what an operation looks through for the price of a step
	entryWeight = 128  // bytes: an entry of a dict
)

// run is one run of a script: its meter, and what its functions work on.
type run struct {
	ctx    context.Context
	pool   *Pool
	call   *session.Call // nil while the configuration is read
	limits limits
	left   int // bytes of limits.memory
	script string
	prints int
}

// runKey is the thread-local that holds the *run.
const runKey = "run"

func runOf(thread *starlark.Thread) *run {
	r, _ := thread.Local(runKey).(*run)
	return r
}

// overError is that a script wants more than it may.
type overError struct {
	outcome string
	text    string
}

// Error implements error.
func (e *overError) Error() string { return e.text }

// charge takes bytes off what the run may still make, before they are made.
func (r *run) charge(bytes int) error {
	if bytes < 0 || bytes > r.left {
		return &overError{outcomeMemory, fmt.Sprintf("it needs more than %v of memory", quantity.Bytes(r.limits.memory))}
	}
	r.left -= bytes
	return nil
}

// spend charges the steps of an operation that looks through so many bytes.
func spend(thread *starlark.Thread, bytes int) { thread.Steps += uint64(bytes) / stepBytes }

// weigh returns how much an operation has to look through that visits all of v:
// about its bytes, with what it holds in several places counted each time. Too
// much of that is an error; for what lies below, it costs steps.
func (r *run) weigh(thread *starlark.Thread, vs ...starlark.Value) (int, error) {
	s := scale{left: r.limits.value}
	for _, v := range vs {
		if err := s.add(v, 0); err != nil {
			spend(thread, r.limits.value)
			if s.left < 0 {
				return 0, &overError{outcomeMemory, fmt.Sprintf("a value is larger than %v", quantity.Bytes(r.limits.value))}
			}
			return 0, err
		}
	}
	w := r.limits.value - s.left
	spend(thread, w)
	return w, nil
}

// scale weighs values.
type scale struct{ left int }

// errHeavy is replaced by weigh with one that names the limit.
var errHeavy = &overError{outcome: outcomeMemory}

func (s *scale) take(n int) error {
	if s.left -= n; s.left < 0 || n < 0 {
		s.left = -1
		return errHeavy
	}
	return nil
}

func (s *scale) add(v starlark.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("a value holds others more than %d deep", maxDepth)
	}
	switch v := v.(type) {
	case starlark.String:
		return s.take(nodeWeight + len(v))
	case starlark.Bytes:
		return s.take(nodeWeight + len(v))
	case starlark.Int:
		return s.take(nodeWeight + bits(v)/8)
	case *starlark.List:
		if err := s.take(nodeWeight); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := s.add(v.Index(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	case starlark.Tuple:
		if err := s.take(nodeWeight); err != nil {
			return err
		}
		for _, e := range v {
			if err := s.add(e, depth+1); err != nil {
				return err
			}
		}
		return nil
	case *starlark.Dict:
		if err := s.take(nodeWeight); err != nil {
			return err
		}
		for k, e := range v.Entries() {
			if err := s.take(nodeWeight); err != nil {
				return err
			}
			if err := s.add(k, depth+1); err != nil {
				return err
			}
			if err := s.add(e, depth+1); err != nil {
				return err
			}
		}
		return nil
	case *object:
		for _, e := range v.fields {
			if err := s.add(e, depth+1); err != nil {
				return err
			}
		}
		return s.take(nodeWeight)
	case starlark.Sequence: // a range, the elements of a string
		n := v.Len()
		if n > s.left {
			return s.take(n) // no overflow below
		}
		return s.take(nodeWeight * (n + 1))
	case starlark.Iterable: // the code points of a string
		n := 0
		iter := v.Iterate()
		defer iter.Done()
		for e := starlark.Value(nil); iter.Next(&e); n++ {
			if err := s.take(nodeWeight); err != nil {
				return err
			}
		}
		return s.take(nodeWeight)
	}
	return s.take(nodeWeight)
}

// bits returns the length of an integer.
func bits(x starlark.Int) int {
	if _, ok := x.Int64(); ok {
		return 64
	}
	return x.BigInt().BitLen()
}

// size returns about how many bytes a copy of v takes that does not copy what
// it holds.
func size(v starlark.Value) int {
	switch v := v.(type) {
	case starlark.String:
		return nodeWeight + len(v)
	case starlark.Bytes:
		return nodeWeight + len(v)
	case starlark.Int:
		return nodeWeight + bits(v)/8
	case *starlark.Dict:
		return entryWeight * (v.Len() + 5)
	case starlark.Sequence:
		n := v.Len()
		if n > 1<<40 {
			return -1 // more than anybody has
		}
		return nodeWeight * (n + 4)
	}
	return 4 * nodeWeight
}

// count returns how many values v yields when it is iterated over; 0 if it does
// not. More than most is most.
func count(v starlark.Value, most int) int {
	switch v := v.(type) {
	case starlark.Sequence:
		return min(v.Len(), most)
	case starlark.Iterable:
		n := 0
		iter := v.Iterate()
		defer iter.Done()
		for e := starlark.Value(nil); n < most && iter.Next(&e); n++ {
		}
		return n
	}
	return 0
}

// elements charges bytes for each value that v yields. What yields too many to
// be looked through at once is an error.
func (r *run) elements(thread *starlark.Thread, v starlark.Value, bytes int) error {
	most := r.limits.value / nodeWeight
	n := count(v, most+1)
	spend(thread, nodeWeight*n)
	if n > most {
		return &overError{outcomeMemory, fmt.Sprintf("more than %d values at once; a loop or a comprehension takes one after the other", most)}
	}
	return r.charge(n*bytes + 4*nodeWeight)
}

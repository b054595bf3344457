package receive

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/chartd/chartd/pkg/problem"
)

// Patience is how long a request waits for its turn. It is well below the time
// after which senders give up.
const Patience = 5 * time.Second

// waiting is how many requests may wait for each one that is read.
const waiting = 4

// Turns bounds how many requests are read at the same time, and with that the
// memory that they take.
type Turns struct{ slots, queue chan struct{} }

// NewTurns returns the turns of a source whose max_in_flight is n.
func NewTurns(n int) Turns { return Turns{make(chan struct{}, n), make(chan struct{}, waiting*n)} }

// Take waits until one more request may be read; done must be called behind it.
// After Patience, when ctx ends, or at once if many wait already, the error is a
// *BodyError of status 429.
func (t Turns) Take(ctx context.Context) (done func(), err error) {
	done = func() { <-t.slots }
	select {
	case t.slots <- struct{}{}:
		return done, nil
	default:
	}
	select {
	case t.queue <- struct{}{}:
		defer func() { <-t.queue }()
	default:
		return nil, t.over()
	}
	late := time.NewTimer(Patience)
	defer late.Stop()
	select {
	case t.slots <- struct{}{}:
		return done, nil
	case <-ctx.Done(): // the sender is gone, or chartd stops
	case <-late.C:
	}
	return nil, t.over()
}

func (t Turns) over() *BodyError {
	return &BodyError{
		Status: http.StatusTooManyRequests,
		Reason: fmt.Sprintf("%d requests are being read already (max_in_flight of the source); try again", cap(t.slots)),
	}
}

// DefaultMaxInFlight is max_in_flight of receivers that read a request as it
// arrives: it takes some ten KiB, and its sender may keep it open.
const DefaultMaxInFlight = 256

// MaxInFlight is the most that the setting max_in_flight may be.
const MaxInFlight = 1024

// ValidateMaxInFlight returns what is wrong with the setting max_in_flight.
func ValidateMaxInFlight(n int) []problem.Problem {
	if n < 1 || n > MaxInFlight {
		return []problem.Problem{{
			Path: "max_in_flight", What: fmt.Sprintf("%d is out of range", n), Want: fmt.Sprintf("a number from 1 to %d", MaxInFlight),
		}}
	}
	return nil
}

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

// Turns bounds how many requests are read at the same time, and with that the
// memory that they take.
type Turns struct{ slots chan struct{} }

// NewTurns returns the turns of a source whose max_in_flight is n.
func NewTurns(n int) Turns { return Turns{make(chan struct{}, n)} }

// Take waits until one more request may be read; done must be called behind it.
// After Patience, or when ctx ends, the error is a *BodyError.
func (t Turns) Take(ctx context.Context) (done func(), err error) {
	done = func() { <-t.slots }
	select {
	case t.slots <- struct{}{}:
		return done, nil
	default:
	}
	late := time.NewTimer(Patience)
	defer late.Stop()
	select {
	case t.slots <- struct{}{}:
		return done, nil
	case <-ctx.Done(): // the sender is gone, or chartd stops
	case <-late.C:
	}
	return nil, &BodyError{
		Status: http.StatusServiceUnavailable,
		Reason: fmt.Sprintf("%d requests are being read already (max_in_flight of the source); try again", cap(t.slots)),
	}
}

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

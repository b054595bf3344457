package ways

import (
	"context"
	"errors"
	"time"

	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// refresh is the first way: the RefreshCallback of the chart "go".
func refresh(_ context.Context, call *session.Call) error {
	if call.Cause() == session.CauseTick {
		return call.AppendNow("second", store.LabelsOf(map[string]string{"way": "go"}), second(time.Now()))
	}
	if call.ArgString() != "MyCustomArgs" {
		return session.ErrNotHandled
	}
	return errors.Join(
		call.SetTitle("Changed by Go"),
		call.SetWindow(2*time.Minute),
		call.Reply(map[string]string{"by": "go"}),
	)
}

// second returns where the second hand is, from 0 to 59.
func second(now time.Time) float64 { return float64(now.Unix() % 60) }

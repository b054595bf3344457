package webhook

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
)

// request is what a webhook is told.
type request struct {
	// ID names the callback; a retry has the same.
	ID string `json:"id"`
	// Time is when it was raised, in ms since the Unix epoch.
	Time int64 `json:"time"`
	// Cause is "client" or "tick".
	Cause session.Cause `json:"cause"`
	// Chart is the chart's name.
	Chart string `json:"chart"`
	// View is what the caller sees, or on a tick what is drawn.
	View view `json:"view"`
	// Session tells callers apart, and is none of their secrets; absent on a tick.
	Session string `json:"session,omitempty"`
	// User is who raised it, as "token:wall" or "jwt:alice"; absent on a tick and
	// where nobody is asked.
	User string `json:"user,omitempty"`
	// Claims are those of the caller's JWT that auth.jwt.claims names; absent if
	// there are none.
	Claims json.RawMessage `json:"claims,omitempty"`
	// Argument is that of the callback; absent if there is none.
	Argument json.RawMessage `json:"argument,omitempty"`
}

// view is a view by its id and by what differs from the chart's own.
type view struct {
	ID     string          `json:"id"`
	Params plotting.Change `json:"params"`
}

// bodyOf returns what is posted about a call.
func bodyOf(call *session.Call) ([]byte, error) {
	v := call.View()
	r := request{
		ID: rand.Text(), Time: time.Now().UnixMilli(), Cause: call.Cause(), Chart: call.Chart(),
		View: view{v.ID(), call.Spec().Diff(v)}, User: call.User(), Claims: call.Claims(), Argument: call.Arg(),
	}
	if s := call.Session(); s != nil {
		r.Session = s.Name()
	}
	return json.Marshal(r)
}

package wire

import (
	"encoding/json"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// ServerMessage is one message from the server: Welcome, OK, Failure, Full,
// Patch or Event. Encode turns it into bytes to send.
type ServerMessage interface {
	// AppendJSON appends the message as it stands on the wire.
	AppendJSON(b []byte) []byte
	server()
}

// Welcome answers Hello.
type Welcome struct {
	// Session is the token to say in the next Hello.
	Session string
	// Resumed says that the session of Hello goes on; false: a new one began.
	Resumed bool
	// Server names the software and its version: "chartd/0.1.0".
	Server string
}

// OK answers a request that was carried out.
type OK struct {
	// ID repeats the request's.
	ID ID
	// V is the view's id, if the request concerned one. It is a new id when
	// the request changed the view.
	V string
	// View, with V, is what to say in a sub to get this view again; nil leaves
	// it out.
	View *plotting.Change
	// Handled answers Callback: false if no handler wanted its argument; nil
	// for other requests.
	Handled *bool
	// Reply is what a callback's handler gave back: JSON, nil for nothing.
	Reply json.RawMessage
}

// Failure is the message "error": a request that was not carried out, or, with
// no ID, something that went wrong with a view.
type Failure struct {
	// ID repeats the request's, "" if there was none.
	ID ID
	// V is the view's id, if one is concerned.
	V string
	// Err says what.
	Err *Error
}

// Full carries a whole frame.
type Full struct {
	V   string
	Pos Pos
	SVG string
}

// Patch carries what changed between two frames of an epoch.
type Patch struct {
	V string
	// Pos is the position that the patch leads to.
	Pos Pos
	// Base is the revision that it applies to.
	Base uint64
	// Ops are the changes in order.
	Ops []plotting.Op
}

// Event tells of one of the four steps around a callback.
type Event struct {
	V string
	// Name says which step.
	Name EventName
	// Cause says who raised the callback.
	Cause Cause
	// ID repeats the callback's, "" on a tick.
	ID ID
	// Arg is the callback's argument, nil if it had none.
	Arg json.RawMessage
	// Error says how the handler failed; AfterCallback only.
	Error string
	// Elapsed is how long the handler ran; it is written for AfterCallback
	// only, in ms.
	Elapsed time.Duration
}

// EventName names a step around a callback.
type EventName string

// The steps, in their order. The frame comes before the last.
const (
	BeforeCallback                EventName = "BeforeCallback"
	AfterCallback                 EventName = "AfterCallback"
	BeforeCallbackResponseProcess EventName = "BeforeCallbackResponseProcess"
	AfterCallbackResponseProcess  EventName = "AfterCallbackResponseProcess"
)

// Cause says who raised a callback.
type Cause string

// The causes.
const (
	CauseTick   Cause = "tick"
	CauseClient Cause = "client"
)

func (Welcome) server() {}
func (OK) server()      {}
func (Failure) server() {}
func (Full) server()    {}
func (Patch) server()   {}
func (Event) server()   {}

// AppendJSON implements ServerMessage.
func (m Welcome) AppendJSON(b []byte) []byte {
	o := begin(b, "welcome").must("session", m.Session)
	return o.boolean("resumed", m.Resumed).must("server", m.Server).end()
}

// AppendJSON implements ServerMessage.
func (m OK) AppendJSON(b []byte) []byte {
	o := begin(b, "ok").id(m.ID).str("v", m.V)
	if m.View != nil {
		o = o.change("view", m.View)
	}
	if m.Handled != nil {
		o = o.boolean("handled", *m.Handled)
	}
	return o.json("reply", m.Reply).end()
}

// AppendJSON implements ServerMessage.
func (m Failure) AppendJSON(b []byte) []byte {
	o := begin(b, "error").id(m.ID).str("v", m.V).must("code", string(m.Err.Code)).str("field", m.Err.Field)
	return o.must("message", m.Err.text()).boolean("temporary", m.Err.Temporary()).end()
}

// AppendJSON implements ServerMessage.
func (m Full) AppendJSON(b []byte) []byte {
	b = appendFullHead(b, m.V, m.Pos)
	return appendTail(AppendString(b, m.SVG))
}

// AppendJSON implements ServerMessage.
func (m Patch) AppendJSON(b []byte) []byte {
	b = appendPatchHead(b, m.V, m.Pos.E)
	return appendPatchBody(b, m.Base, m.Pos.R, m.Ops)
}

// AppendJSON implements ServerMessage.
func (m Event) AppendJSON(b []byte) []byte {
	o := begin(b, "event").must("v", m.V).must("event", string(m.Name)).must("cause", string(m.Cause)).id(m.ID)
	o = o.json("arg", m.Arg).str("error", m.Error)
	if m.Name == AfterCallback {
		o = o.millis("ms", m.Elapsed)
	}
	return o.end()
}

package wire

import (
	"encoding/json"

	"github.com/chartd/chartd/pkg/plotting"
)

// ClientMessage is one message from a client: Hello, Sub, Unsub, Set,
// Callback, Resync, Auth, Ping, or Invalid for one that cannot be used.
type ClientMessage interface {
	// RequestID returns the id to repeat in the reply, "" if there is none.
	RequestID() ID
	// AppendJSON appends the message as its client would have written it.
	AppendJSON(b []byte) []byte
	client()
}

// ID is the number by which a client knows its request again: a JSON number
// exactly as the client wrote it, or "" for none.
type ID string

// Hello is a connection's first message.
type Hello struct {
	ID ID
	// Session is the token of an earlier welcome, to resume that session; ""
	// asks for a new one.
	Session string
	// Token authenticates; "" is anonymous.
	Token string
}

// Sub subscribes to a chart.
type Sub struct {
	ID ID
	// Chart is the chart's name.
	Chart string
	// View says how the picture differs from the chart's default.
	View plotting.Change
	// Events asks for the four callback events.
	Events bool
	// Pos is the last frame that the client holds of this view; the zero value
	// if it holds none.
	Pos Pos
}

// Unsub ends a subscription.
type Unsub struct {
	ID ID
	// V is the view's id.
	V string
}

// Set changes the caller's view.
type Set struct {
	ID ID
	// V is the id of the view as it is.
	V string
	// View is the change.
	View plotting.Change
}

// Callback raises the chart's RefreshCallback with cause "client".
type Callback struct {
	ID ID
	// V is the view's id.
	V string
	// Arg is any JSON value as the client wrote it; nil if there is none.
	Arg json.RawMessage
}

// Resync asks for a full of a view.
type Resync struct {
	ID ID
	// V is the view's id.
	V string
}

// Auth replaces the token of hello.
type Auth struct {
	ID ID
	// Token authenticates.
	Token string
}

// Ping asks for an ok, and nothing else: a page cannot see the pings of the
// WebSocket protocol, and a chart may rightly be silent.
type Ping struct{ ID ID }

// Invalid stands for a message that cannot be used while its neighbours in the
// same array can. It is to be answered with its error.
type Invalid struct {
	ID ID
	// Err says what is wrong and what would be right.
	Err *Error
}

// RequestID implements ClientMessage.
func (m Hello) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Sub) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Unsub) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Set) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Callback) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Resync) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Auth) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Ping) RequestID() ID { return m.ID }

// RequestID implements ClientMessage.
func (m Invalid) RequestID() ID { return m.ID }

func (Hello) client()    {}
func (Sub) client()      {}
func (Unsub) client()    {}
func (Set) client()      {}
func (Callback) client() {}
func (Resync) client()   {}
func (Auth) client()     {}
func (Ping) client()     {}
func (Invalid) client()  {}

// AppendJSON implements ClientMessage.
func (m Hello) AppendJSON(b []byte) []byte {
	o := begin(b, "hello").id(m.ID)
	return o.str("session", m.Session).str("token", m.Token).end()
}

// AppendJSON implements ClientMessage.
func (m Sub) AppendJSON(b []byte) []byte {
	o := begin(b, "sub").id(m.ID).str("chart", m.Chart).changed("view", &m.View)
	if m.Events {
		o = o.raw("events", "true")
	}
	if m.Pos != (Pos{}) {
		o = o.raw("pos", `{"e":`)
		o.b = AppendString(o.b, m.Pos.E)
		o = o.num("r", m.Pos.R)
		o.b = append(o.b, '}')
	}
	return o.end()
}

// AppendJSON implements ClientMessage.
func (m Unsub) AppendJSON(b []byte) []byte { return begin(b, "unsub").id(m.ID).str("v", m.V).end() }

// AppendJSON implements ClientMessage.
func (m Set) AppendJSON(b []byte) []byte {
	return begin(b, "set").id(m.ID).str("v", m.V).changed("view", &m.View).end()
}

// AppendJSON implements ClientMessage.
func (m Callback) AppendJSON(b []byte) []byte {
	return begin(b, "callback").id(m.ID).str("v", m.V).json("arg", m.Arg).end()
}

// AppendJSON implements ClientMessage.
func (m Resync) AppendJSON(b []byte) []byte { return begin(b, "resync").id(m.ID).str("v", m.V).end() }

// AppendJSON implements ClientMessage.
func (m Auth) AppendJSON(b []byte) []byte {
	return begin(b, "auth").id(m.ID).str("token", m.Token).end()
}

// AppendJSON implements ClientMessage.
func (m Ping) AppendJSON(b []byte) []byte { return begin(b, "ping").id(m.ID).end() }

// AppendJSON implements ClientMessage. It appends null: what was invalid is
// not kept.
func (m Invalid) AppendJSON(b []byte) []byte { return append(b, "null"...) }

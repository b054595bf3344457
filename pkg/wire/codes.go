package wire

import (
	"strconv"
	"unicode/utf8"
)

// ErrorCode says what kind of error a client's message met. Clients act on the
// code; the text beside it is for people.
type ErrorCode string

// The error codes. PROTOCOL.md has the same table.
const (
	// CodeBadMessage is a message that is not what the protocol says: not
	// JSON, not an object, a field missing or of the wrong type or length.
	CodeBadMessage ErrorCode = "bad_message"
	// CodeUnknownType is a message whose "t" this server does not know.
	CodeUnknownType ErrorCode = "unknown_type"
	// CodeOutOfOrder is a message before hello, or a second hello.
	CodeOutOfOrder ErrorCode = "out_of_order"
	// CodeUnknownChart is a chart that is not configured (any more).
	CodeUnknownChart ErrorCode = "unknown_chart"
	// CodeUnknownView is a view id that this session has not subscribed to.
	CodeUnknownView ErrorCode = "unknown_view"
	// CodeBadView is a view that the chart refuses: a window out of range, an
	// unknown var.
	CodeBadView ErrorCode = "bad_view"
	// CodeUnauthorized is a token that is missing, wrong or expired.
	CodeUnauthorized ErrorCode = "unauthorized"
	// CodeForbidden is a token that is good, but not for this.
	CodeForbidden ErrorCode = "forbidden"
	// CodeTooManyViews is a subscription beyond what one session may have.
	CodeTooManyViews ErrorCode = "too_many_views"
	// CodeOverloaded is a request beyond what the whole server may carry.
	CodeOverloaded ErrorCode = "overloaded"
	// CodeBusy is a callback while too many of the session's wait.
	CodeBusy ErrorCode = "busy"
	// CodeRateLimited is a message or a callback too soon after the last.
	CodeRateLimited ErrorCode = "rate_limited"
	// CodeCallbackCanceled is a callback that a Before hook refused.
	CodeCallbackCanceled ErrorCode = "callback_canceled"
	// CodeCallbackFailed is a callback whose handler returned an error or
	// panicked.
	CodeCallbackFailed ErrorCode = "callback_failed"
	// CodeCallbackTimeout is a callback whose handler overran its time.
	CodeCallbackTimeout ErrorCode = "callback_timeout"
	// CodeRenderFailed is a view that cannot be drawn at the moment.
	CodeRenderFailed ErrorCode = "render_failed"
	// CodeUnavailable is a token that cannot be checked at the moment.
	CodeUnavailable ErrorCode = "unavailable"
	// CodeInternal is a fault of the server; its log says more.
	CodeInternal ErrorCode = "internal"
)

// ErrorCodes lists every ErrorCode, in the order of the document.
func ErrorCodes() []ErrorCode {
	return []ErrorCode{
		CodeBadMessage, CodeUnknownType, CodeOutOfOrder, CodeUnknownChart, CodeUnknownView, CodeBadView,
		CodeUnauthorized, CodeForbidden, CodeTooManyViews, CodeOverloaded, CodeBusy, CodeRateLimited,
		CodeCallbackCanceled, CodeCallbackFailed, CodeCallbackTimeout, CodeRenderFailed, CodeUnavailable, CodeInternal,
	}
}

// Temporary reports whether the same message may succeed later, unchanged.
func (c ErrorCode) Temporary() bool {
	switch c {
	case CodeOverloaded, CodeBusy, CodeRateLimited, CodeCallbackTimeout, CodeRenderFailed, CodeUnavailable, CodeInternal:
		return true
	}
	return false
}

// Error is what a server answers instead of ok. ParseClient returns it, and
// the session makes its own.
type Error struct {
	// Code is for programs.
	Code ErrorCode
	// Field leads to what is wrong in the client's message: "view.window". It
	// is empty when no single field is at fault.
	Field string
	// Message is for people: what is wrong and what would be right.
	Message string
}

// Error returns "code: field: message".
func (e *Error) Error() string { return string(e.Code) + ": " + e.text() }

// Temporary reports whether the same message may succeed later.
func (e *Error) Temporary() bool { return e.Code.Temporary() }

// text is the message as it stands on the wire.
func (e *Error) text() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// CloseCode is the status code of a WebSocket close frame. The private range
// says whether to come back: 4000 to 4499 do, with backoff and jitter; 4500 to
// 4999 do not.
type CloseCode uint16

// The close codes. PROTOCOL.md has the same table.
const (
	// CloseShutdown is a server that stops or restarts.
	CloseShutdown CloseCode = 4000
	// CloseSlowQueue is a client for which more bytes of events and replies
	// wait than the server keeps.
	CloseSlowQueue CloseCode = 4001
	// CloseSlowWrite is a client that took no bytes within the write deadline.
	CloseSlowWrite CloseCode = 4002
	// CloseOverloaded is a connection beyond what the server may carry.
	CloseOverloaded CloseCode = 4003
	// CloseHelloTimeout is a client that said no hello in time.
	CloseHelloTimeout CloseCode = 4004
	// CloseSilent is a client that answered no ping in time.
	CloseSilent CloseCode = 4005
	// CloseInternal is a fault of the server in handling this connection.
	CloseInternal CloseCode = 4006
	// CloseAccessChanged is a server whose rules of access changed: the client
	// comes back and says again who it is.
	CloseAccessChanged CloseCode = 4007
	// CloseUnavailable is a server that cannot check the token at the moment.
	CloseUnavailable CloseCode = 4008
	// CloseFlood is a client that sends more messages than it may, and went on
	// after they were refused. It may come back: what is wrong with it may pass,
	// and the backoff bounds what it costs.
	CloseFlood CloseCode = 4009
	// CloseSlowMessage is a client whose message did not end in time.
	CloseSlowMessage CloseCode = 4010

	// CloseProtocol is a client that breaks the protocol: a binary message, a
	// message before hello, bad messages over and over.
	CloseProtocol CloseCode = 4500
	// CloseUnauthorized is a token that is missing, wrong or expired.
	CloseUnauthorized CloseCode = 4501
	// CloseForbidden is a token that may not use this server.
	CloseForbidden CloseCode = 4502
	// CloseReplaced is a connection whose session another connection resumed.
	CloseReplaced CloseCode = 4503
)

// CloseCodes lists every CloseCode of this protocol, in ascending order.
func CloseCodes() []CloseCode {
	return []CloseCode{
		CloseShutdown, CloseSlowQueue, CloseSlowWrite, CloseOverloaded, CloseHelloTimeout, CloseSilent, CloseInternal,
		CloseAccessChanged, CloseUnavailable, CloseFlood, CloseSlowMessage,
		CloseProtocol, CloseUnauthorized, CloseForbidden, CloseReplaced,
	}
}

// Retry reports whether a client should come back: after every code but a
// private one of 4500 and more.
func (c CloseCode) Retry() bool { return c < 4500 }

// String returns the code's name, which is also a metric's label value.
func (c CloseCode) String() string {
	switch c {
	case CloseShutdown:
		return "shutdown"
	case CloseSlowQueue:
		return "slow_queue"
	case CloseSlowWrite:
		return "slow_write"
	case CloseOverloaded:
		return "overloaded"
	case CloseHelloTimeout:
		return "hello_timeout"
	case CloseSilent:
		return "silent"
	case CloseInternal:
		return "internal"
	case CloseAccessChanged:
		return "access_changed"
	case CloseUnavailable:
		return "unavailable"
	case CloseFlood:
		return "flood"
	case CloseSlowMessage:
		return "slow_message"
	case CloseProtocol:
		return "protocol"
	case CloseUnauthorized:
		return "unauthorized"
	case CloseForbidden:
		return "forbidden"
	case CloseReplaced:
		return "replaced"
	}
	return strconv.Itoa(int(c))
}

// Close says how a server ends a connection. It is an error, so that it can
// travel as the cause.
type Close struct {
	// Code says why, and whether to come back.
	Code CloseCode
	// Reason is for people; over 123 bytes it is cut.
	Reason string
}

// Error returns "closed: name (code): reason".
func (c Close) Error() string {
	s := "closed: " + c.Code.String() + " (" + strconv.Itoa(int(c.Code)) + ")"
	if c.Reason != "" {
		s += ": " + c.Reason
	}
	return s
}

// maxReason is what RFC 6455 leaves for a reason: a control frame carries 125
// bytes, two of which are the code.
const maxReason = 123

// Payload returns the payload of the close frame: the code and the reason, cut
// at a character so that it fits and is valid UTF-8.
func (c Close) Payload() []byte {
	b := []byte{byte(c.Code >> 8), byte(c.Code)}
	for _, r := range c.Reason { // an invalid byte arrives as U+FFFD
		if len(b)+utf8.RuneLen(r) > maxReason+2 {
			break
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

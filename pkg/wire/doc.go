// Package wire is the protocol between chartd and its clients, subprotocol
// chartd.v1: JSON text messages over a WebSocket. PROTOCOL.md is its
// specification; this package is its one implementation in Go.
//
// A server reads with ParseClient and writes with Encode, Join and, for the
// frames of a view, with a Stream: the loop that owns the view hands every new
// plotting.Frame to Stream.Next and shares the Update that it returns among
// all sessions. An Update knows the newest full and the last patches; each is
// encoded once, however many sessions are sent it.
//
// A client (a test, a tool) reads with ParseServer and follows a view with a
// Mirror.
package wire

// The transport's names.
const (
	// Path is where the WebSocket is served.
	Path = "/ws"
	// Subprotocol is what client and server agree on in the handshake
	// (Sec-WebSocket-Protocol).
	Subprotocol = "chartd.v1"
)

package wire

import (
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// Message is one encoded WebSocket message of the server: an object, or an
// array of them. It is immutable and may be shared by any number of sessions.
type Message struct {
	json  []byte
	array bool

	sent     atomic.Bool // has a first receiver
	once     sync.Once
	prepared *websocket.PreparedMessage
	err      error
}

// Encode encodes a message.
func Encode(m interface{ AppendJSON(b []byte) []byte }) *Message {
	return &Message{json: m.AppendJSON(make([]byte, 0, 128))}
}

// JSON returns the message's bytes. The caller must not change them.
func (m *Message) JSON() []byte { return m.json }

// Len returns how many bytes the message has before compression.
func (m *Message) Len() int { return len(m.json) }

// Send writes the message to a server's connection, as one frame, compressed if
// compress and if the client takes that. Any number of connections may be sent
// the same message at the same time; each has one writer at a time.
//
// Most messages have one receiver, and it gets the bytes as they are. What is
// there to share, the frame with its header, is made for the second one and
// kept for all who follow. Compressed frames are always kept: compressing costs
// far more, and gorilla would cut what it does not prepare into fragments of
// its write buffer.
func (m *Message) Send(ws *websocket.Conn, compress bool) error {
	ws.EnableWriteCompression(compress)
	if !compress && !m.sent.Swap(true) {
		return ws.WriteMessage(websocket.TextMessage, m.json)
	}
	m.once.Do(func() { m.prepared, m.err = websocket.NewPreparedMessage(websocket.TextMessage, m.json) })
	if m.err != nil {
		return m.err
	}
	return ws.WritePreparedMessage(m.prepared)
}

// Join returns one message that carries the given ones in order, so that they
// go out in one write: an array, or the message itself if it is only one.
// Joined messages join flat; nil ones are left out. Join of nothing is nil.
func Join(ms ...*Message) *Message {
	var only *Message
	count, size := 0, 1
	for _, m := range ms {
		if m != nil {
			only = m
			count++
			size += len(m.json) + 1
		}
	}
	if count < 2 {
		return only
	}
	b := make([]byte, 0, size)
	for _, m := range ms {
		if m == nil {
			continue
		}
		if len(b) == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		inner := m.json
		if m.array {
			inner = inner[1 : len(inner)-1]
		}
		b = append(b, inner...)
	}
	return &Message{json: append(b, ']'), array: true}
}

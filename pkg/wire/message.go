package wire

import (
	"sync"

	"github.com/gorilla/websocket"
)

// Message is one encoded WebSocket message of the server: an object, or an
// array of them. It is immutable and may be shared by any number of sessions.
type Message struct {
	json  []byte
	array bool

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

// Prepared returns the message in the form that gorilla/websocket sends
// without encoding or compressing it again. It is made at the first call.
func (m *Message) Prepared() (*websocket.PreparedMessage, error) {
	m.once.Do(func() { m.prepared, m.err = websocket.NewPreparedMessage(websocket.TextMessage, m.json) })
	return m.prepared, m.err
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

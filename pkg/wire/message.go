package wire

import "sync"

// Message is one encoded WebSocket message of the server: an object, or an
// array of them. It carries the whole frame of RFC 6455 §5.2 that a server
// sends, so that writing it to any number of sessions is writing ready bytes.
// It is immutable and may be shared.
type Message struct {
	frame []byte // header and JSON
	json  []byte // frame without its header
	array bool

	once   sync.Once
	packed []byte // the frame with the JSON compressed; made when first asked for
}

// room is what is kept free in front of a message's JSON: the longest header.
const room = 10

// blank returns an empty buffer for n bytes of JSON, with room for the header.
// It is what seal takes.
func blank(n int) []byte { return make([]byte, room, room+n) }

// seal makes a message of a buffer that began as blank. It keeps the buffer.
func seal(b []byte, array bool) *Message {
	m := &Message{json: b[room:], array: array}
	var head [room]byte
	n := len(appendFrameHead(head[:0], len(m.json), false))
	m.frame = b[room-n:]
	copy(m.frame, head[:n])
	return m
}

// Encode encodes a message.
func Encode(m interface{ AppendJSON(b []byte) []byte }) *Message {
	return seal(m.AppendJSON(blank(128)), false)
}

// JSON returns the message's bytes. The caller must not change them.
func (m *Message) JSON() []byte { return m.json }

// Len returns how many bytes the message has, without its frame's header and
// before compression.
func (m *Message) Len() int { return len(m.json) }

// Frame returns the message as one final, unmasked WebSocket text frame. The
// caller must not change it.
func (m *Message) Frame() []byte { return m.frame }

// Packed is Frame for a connection that negotiated permessage-deflate without
// context takeover (RFC 7692): the JSON is compressed, once for all who are
// sent it. Where that does not make the message shorter, it is Frame.
func (m *Message) Packed(d *Deflater) []byte {
	m.once.Do(func() {
		m.packed = m.frame
		if b := d.frame(m.json); len(b) < len(m.frame) {
			m.packed = b
		}
	})
	return m.packed
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
	b := blank(size)
	for _, m := range ms {
		if m == nil {
			continue
		}
		if len(b) == room {
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
	return seal(append(b, ']'), true)
}

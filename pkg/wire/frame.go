package wire

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"sync"
)

// The first byte of a frame, RFC 6455 §5.2 and RFC 7692 §7.2.1.
const (
	finalBit      = 0x80
	compressedBit = 0x40
	opText        = 0x1
)

// appendFrameHead appends the header of a final, unmasked text frame whose
// payload has n bytes.
func appendFrameHead(b []byte, n int, compressed bool) []byte {
	first := byte(finalBit | opText)
	if compressed {
		first |= compressedBit
	}
	switch {
	case n <= 125:
		return append(b, first, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, first, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, first, 127), uint64(n))
}

// Deflater compresses messages. It holds on to compressors, which are large, so
// a server has one. The zero value is ready; it is safe for concurrent use.
type Deflater struct{ idle sync.Pool }

// frame returns json as a compressed text frame. A message ends with an empty
// stored block, of which RFC 7692 §7.2.1 leaves out the last four bytes.
func (d *Deflater) frame(json []byte) []byte {
	out := bytes.NewBuffer(make([]byte, room, room+len(json)/3))
	w, _ := d.idle.Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(out, flate.BestSpeed) // the level is one that exists
	} else {
		w.Reset(out)
	}
	_, _ = w.Write(json) // a buffer takes everything
	_ = w.Flush()
	w.Reset(nil)
	d.idle.Put(w)
	b := out.Bytes()
	b = b[:len(b)-4]
	var head [room]byte
	n := len(appendFrameHead(head[:0], len(b)-room, true))
	b = b[room-n:]
	copy(b, head[:n])
	return bytes.Clone(b)
}

package influx

import (
	"bytes"
	"errors"
	"io"
)

// lineReader gives a body to a line protocol decoder one line at a time. The
// decoder reads no further than it must, so the line that was given last is the
// one it has reached.
type lineReader struct {
	src  io.Reader
	buf  []byte // room for a piece of the body
	rest []byte // of the piece that came last
	line int    // that was given last, from 1
	mid  bool   // only a part of it has been given
	end  error  // of the body, behind rest
	err  error  // this, once it has been reached, unless it is io.EOF
}

// pieceSize is how much of a body is read at once, in bytes, if there is as much.
const pieceSize = 16 << 10

// reset makes body the one that is read; nil lets go of the last one.
func (l *lineReader) reset(body io.Reader) {
	*l = lineReader{src: body, buf: l.buf}
	if l.buf == nil {
		l.buf = make([]byte, pieceSize)
	}
}

// Read implements io.Reader: it returns one line, or a part of a long one.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
	if !l.mid {
		l.line++
	}
	b := l.rest
	end := bytes.IndexByte(b, '\n') + 1
	if l.mid = end == 0; !l.mid {
		b = b[:end]
	}
	n := copy(p, b)
	l.mid = l.mid || n < len(b)
	l.rest = l.rest[n:]
	return n, nil
}

// fill reads the next piece. An error that came with a piece stands behind it.
func (l *lineReader) fill() error {
	for empty := 0; l.end == nil; empty++ {
		var n int
		if n, l.end = l.src.Read(l.buf); n > 0 {
			l.rest = l.buf[:n]
			return nil
		}
		if empty == maxEmpty {
			l.end = io.ErrNoProgress
		}
	}
	if !errors.Is(l.end, io.EOF) {
		l.err = l.end
	}
	return l.end
}

// maxEmpty is how often in a row a body may give nothing, and no error.
const maxEmpty = 100

package influx

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineReader gives a body to a line protocol decoder one line at a time. The
// decoder reads no further than it must, so the line that was given last is the
// one it has reached.
type lineReader struct {
	buf  *bufio.Reader
	line int   // that was given last, from 1
	mid  bool  // only a part of it has been given
	err  error // of the body, unless io.EOF
}

// Read implements io.Reader: it returns one line, or a part of a long one.
func (l *lineReader) Read(p []byte) (int, error) {
	if _, err := l.buf.Peek(1); err != nil {
		if !errors.Is(err, io.EOF) {
			l.err = err
		}
		return 0, err
	}
	if !l.mid {
		l.line++
	}
	// What is buffered can be peeked at and discarded without an error.
	b, _ := l.buf.Peek(min(len(p), l.buf.Buffered()))
	end := bytes.IndexByte(b, '\n') + 1
	l.mid = end == 0
	if end == 0 {
		end = len(b)
	}
	n := copy(p, b[:end])
	_, _ = l.buf.Discard(n)
	return n, nil
}

package wire

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/plotting"
)

func appendFullHead(b []byte, v string, p Pos) []byte {
	b = append(b, `{"t":"full","v":`...)
	b = AppendString(b, v)
	b = append(b, `,"e":`...)
	b = AppendString(b, p.E)
	b = append(b, `,"r":`...)
	b = strconv.AppendUint(b, p.R, 10)
	return append(b, `,"svg":`...)
}

func appendTail(b []byte) []byte { return append(b, '}') }

// appendFull appends a frame as a full message.
func appendFull(b []byte, v string, p Pos, f *plotting.Frame) []byte {
	b = append(appendFullHead(b, v, p), '"')
	start := len(b)
	b = f.AppendSVG(b)
	// SVG is written so that it needs no escaping in JSON; where a text needs
	// it all the same, the rest is written again.
	if at := firstSpecial(b[start:]); at >= 0 {
		rest := append([]byte(nil), b[start+at:]...)
		b = appendContent(b[:start+at], rest)
	}
	return appendTail(append(b, '"'))
}

// appendPatchHead appends what all patches of an epoch begin with.
func appendPatchHead(b []byte, v, epoch string) []byte {
	b = append(b, `{"t":"patch","v":`...)
	b = AppendString(b, v)
	b = append(b, `,"e":`...)
	b = AppendString(b, epoch)
	return append(b, `,"b":`...)
}

func appendPatchBody(b []byte, base, rev uint64, ops []plotting.Op) []byte {
	b = strconv.AppendUint(b, base, 10)
	b = append(b, `,"r":`...)
	b = strconv.AppendUint(b, rev, 10)
	b = append(b, `,"o":[`...)
	for i := range ops {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOp(b, &ops[i])
	}
	return append(b, ']', '}')
}

func appendOp(b []byte, op *plotting.Op) []byte {
	b = append(b, '[', '"', op.Code, '"', ',')
	b = AppendString(b, op.Key)
	switch op.Code {
	case plotting.OpDelete:
		return append(b, ']')
	case plotting.OpInsert:
		b = append(b, ',')
		b = AppendString(b, op.Parent)
	}
	b = append(b, ',')
	if op.Code == plotting.OpText {
		b = appendText(b, op.Text)
	} else {
		b = AppendString(b, op.Text)
	}
	if op.Code == plotting.OpAppend && op.Drop > 0 {
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(op.Drop), 10)
	}
	return append(b, ']')
}

// appendText appends the text of a text element as a JSON string. Characters
// that XML does not allow become U+FFFD, as they do in a full.
func appendText(b, text []byte) []byte {
	if bytes.ContainsFunc(text, noXML) {
		text = bytes.Map(func(r rune) rune {
			if noXML(r) {
				return utf8.RuneError
			}
			return r
		}, text)
	}
	return AppendString(b, text)
}

// noXML reports whether XML does not allow a character.
func noXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// firstSpecial returns where the first byte stands that AppendString would
// not write as it is, -1 if there is none.
func firstSpecial(s []byte) int {
	for i, c := range s {
		if !plain[c] {
			return i
		}
	}
	return -1
}

// sizer knows about how many bytes a view's full has, without encoding it and
// without walking the frame at every tick.
type sizer struct {
	size int
	rev  uint64 // when it was measured
}

// half returns about half the bytes of a full of f. A patch that is short
// against what was measured lately needs no new measure.
func (s *sizer) half(f *plotting.Frame, rev uint64, patch int) int {
	if patch > s.size/8 || rev-s.rev >= 64 {
		s.measure(f, rev)
	}
	return s.size / 2
}

func (s *sizer) measure(f *plotting.Frame, rev uint64) int {
	s.size, s.rev = nodeSize(f.Root), rev
	return s.size
}

// nodeSize is about how many bytes a node has as markup.
func nodeSize(n *plotting.Node) int {
	size := len(n.Open) + len(n.Live) + len(n.Tail) + 7
	for _, k := range n.Kids {
		size += nodeSize(k)
	}
	return size
}

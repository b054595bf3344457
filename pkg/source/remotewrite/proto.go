package remotewrite

import (
	"errors"
	"fmt"
)

// fields reads the fields of a protobuf message one after another. The message
// is a text, so that the names in it can be used where they stand: a message of
// thousands of samples then costs no allocation for any of them.
type fields struct {
	rest string

	number uint64
	kind   wireKind
	value  uint64 // of a varint, and the bits of a fixed one
	bytes  string // of what has a length
}

// wireKind is how a field is written.
type wireKind uint8

const (
	varint  wireKind = 0
	fixed64 wireKind = 1
	counted wireKind = 2 // bytes, a text, a message, or a packed list
	fixed32 wireKind = 5
)

var (
	errCut      = errors.New("the message is cut off")
	errOverflow = errors.New("a number has more than 64 bits")
)

// next goes to the next field and reports whether there is one.
func (f *fields) next() (ok bool, err error) {
	if f.rest == "" {
		return false, nil
	}
	tag := uint64(f.rest[0])
	if tag < 0x80 {
		f.rest = f.rest[1:]
	} else if tag, err = f.varint(); err != nil {
		return false, err
	}
	f.number, f.kind = tag>>3, wireKind(tag&7)
	if f.number == 0 || f.number > 1<<29-1 {
		return false, fmt.Errorf("%d is no number of a field", f.number)
	}
	switch f.kind {
	case varint:
		f.value, err = f.varint()
	case fixed64:
		f.value, err = f.fixed(8)
	case fixed32:
		f.value, err = f.fixed(4)
	case counted:
		n, err := f.varint()
		if err != nil {
			return false, err
		}
		if n > uint64(len(f.rest)) {
			return false, errCut
		}
		f.bytes, f.rest = f.rest[:n], f.rest[n:]
		return true, nil
	default:
		err = fmt.Errorf("field %d has the type %d, which proto3 does not have", f.number, f.kind)
	}
	return err == nil, err
}

// varint takes a number of up to ten bytes, seven bits in each.
func (f *fields) varint() (v uint64, err error) {
	if f.rest != "" && f.rest[0] < 0x80 {
		v, f.rest = uint64(f.rest[0]), f.rest[1:]
		return v, nil
	}
	for i := range min(len(f.rest), 10) {
		b := f.rest[i]
		if i == 9 && b > 1 {
			return 0, errOverflow
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			f.rest = f.rest[i+1:]
			return v, nil
		}
	}
	if len(f.rest) >= 10 {
		return 0, errOverflow
	}
	return 0, errCut
}

// fixed takes a number of n bytes, the least first.
func (f *fields) fixed(n int) (v uint64, err error) {
	if len(f.rest) < n {
		return 0, errCut
	}
	for i := range n {
		v |= uint64(f.rest[i]) << (8 * i)
	}
	f.rest = f.rest[n:]
	return v, nil
}

// little returns the number in eight bytes, the least first. The compiler makes
// one instruction of it.
func little(b string) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

package sql

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	"math"

	"github.com/chartd/chartd/pkg/store"
)

// maxSeen bounds the samples that are remembered.
const maxSeen = 200_000

// seen remembers the samples of a fetch, so that the next one takes what it gives
// again only if it is different. What does not fit in is taken again, and replaces
// itself in the store.
type seen struct {
	seed  maphash.Seed
	last  map[uint64]int64 // times in ms by hash, of the last fetch
	next  map[uint64]int64 // of the one that is under way
	bytes []byte
}

func newSeen() *seen {
	return &seen{seed: maphash.MakeSeed(), last: map[uint64]int64{}, next: map[uint64]int64{}}
}

// series returns a hash of a series' names.
func (s *seen) series(metric string, labels store.Labels) uint64 {
	b := binary.LittleEndian.AppendUint64(s.bytes[:0], uint64(len(metric)))
	b = append(b, metric...)
	for _, l := range labels {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(l.Name)))
		b = append(b, l.Name...)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(l.Value)))
		b = append(b, l.Value...)
	}
	s.bytes = b
	return maphash.Bytes(s.seed, b)
}

// add reports whether a sample is new.
func (s *seen) add(series uint64, t int64, v float64) bool {
	b := binary.LittleEndian.AppendUint64(s.bytes[:0], series)
	b = binary.LittleEndian.AppendUint64(b, uint64(t))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	s.bytes = b
	h := maphash.Bytes(s.seed, b)
	_, again := s.next[h]
	if !again && len(s.next) < maxSeen {
		s.next[h] = t
	}
	_, before := s.last[h]
	return !again && !before
}

// done says that a fetch is over. One that failed may have given only a part, so
// that what was known before stays known. Of one that was complete, only what is
// from since on can come again.
func (s *seen) done(complete bool, since int64) {
	if !complete {
		if len(s.last)+len(s.next) <= 2*maxSeen {
			maps.Copy(s.last, s.next)
		}
		clear(s.next)
		return
	}
	s.last, s.next = s.next, s.last
	clear(s.next)
	maps.DeleteFunc(s.last, func(_ uint64, t int64) bool { return t < since })
}

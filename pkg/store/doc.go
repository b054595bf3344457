// Package store holds the recent past of every series in memory: a bounded
// window of samples, appended by sources and read by charts.
//
// # What a series is
//
// A series is a metric's name and a set of labels. It comes into being with its
// first sample and is dropped when it has been silent for longer than
// Config.MaxAge. Store.Generation changes on both occasions, so a reader may
// keep what Select returned until it does.
//
// Names come from strangers. A metric's name is 1 to 256 bytes, a label's name
// 1 to 128, a label's value 1 to 1024, each of them valid UTF-8 without control
// characters and otherwise free; a series has at most 32 labels, and all its names
// and values together at most 4096 bytes. A label with an empty value is the
// same as no label and is left out (LabelsOf does that). What breaks these
// rules is refused with a *NameError.
//
// # Which samples are kept
//
// Samples of a series are ordered by time (ms since the Unix epoch), one per
// millisecond:
//
//   - A sample newer than all others is appended; that is the fast path.
//   - A late sample is inserted in its place.
//   - A sample at a time that is already there replaces it: the last one wins.
//     If the values are the same, nothing changes and nobody is told.
//   - A sample older than Config.MaxAge before now, or not newer than one that
//     was dropped to make room, is refused with ErrTooOld.
//   - A sample further ahead of now than Config.MaxAge is refused with
//     ErrTooNew; nearly always its time is not in milliseconds.
//   - An infinite value is refused with ErrInfinite. NaN is a gap.
//
// A series keeps at most Config.MaxSamples, the newest; all series together at
// most Config.MaxTotal, in which case a series that wants to grow gives up its
// own oldest samples. What is older than Config.MaxAge leaves with the next
// sample of its series, and with the next sweep if there is none.
//
// # Reading
//
// A chart reads its window once with Series.Each and then follows with
// Series.Since, which costs as much as there is news. Readers hold no lock
// while they look at samples and never see one half-written.
package store

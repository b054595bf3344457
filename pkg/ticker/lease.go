package ticker

// Lease keeps a loop running. It has one watcher or none. Its methods are safe
// for concurrent use and never block; what they ask for happens in the loop,
// in the order of the calls.
type Lease struct {
}

// Key returns the key of the loop.
func (l *Lease) Key() Key { return Key{} }

// Watch makes w see the view: it is offered the frame that is there, or the
// first as soon as it is drawn. With events it is also offered the events of
// ticks. A push, if not nil, is carried out with it: the watcher's first frame
// comes between its messages. Watch is called once at most.
func (l *Lease) Watch(w Watcher, events bool, push *Push) {}

// Events turns the watcher's wish for the events of ticks on or off.
func (l *Lease) Events(on bool) {}

// Push draws and delivers at once; see Push.
func (l *Lease) Push(p Push) {}

// Resend offers the watcher the newest frame again.
func (l *Lease) Resend() {}

// Release gives the lease back. A delivery that is under way may still come.
// A second call does nothing.
func (l *Lease) Release() {}

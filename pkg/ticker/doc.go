// Package ticker keeps watched views alive: a Pool runs one loop per view, from
// its first watcher until a little after its last. A loop ticks at the view's
// refresh, runs the chart's RefreshCallback, draws the view once, encodes what
// changed once, and offers that to every watcher.
//
// A loop is one goroutine that owns everything of its view and never waits for
// anybody: callbacks run beside it, and a watcher's Deliver only takes note.
// Nothing queues up: a tick that comes too late is skipped, and so is the
// callback of a tick while the last one is still running.
package ticker

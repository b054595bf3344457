// Package script answers callbacks by running Starlark, a small dialect of
// Python. A script sees the chart, the view, the caller and samples of the
// store; it may change the view, append samples, annotate and reply. It has no
// other way out: no files, no network, no load.
//
// Starlark itself bounds neither memory nor the time of a single operation. So
// a script is rewritten before it is compiled (rewrite.go): whatever could make
// much out of little, or take long at once, goes through a function of this
// package that first works out what it will cost (ops.go, builtins.go), and
// charges it to the run's meter (meter.go). Everything else costs a step, of
// which there are so many, and makes at most some tens of bytes.
package script

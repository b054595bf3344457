// Package daemon is chartd as a library: it puts store, sources, charts,
// sessions and the HTTP server together, runs them, and drains them.
//
//	cfg, err := daemon.Load("chartd.yaml")
//	…
//	d, err := daemon.New(cfg, daemon.WithCallback("cpu", refresh))
//	…
//	err = d.Run(ctx)
//
// A program of one's own registers a RefreshCallback and hooks for a chart,
// brings kinds of sources of its own, serves pages of its own beside the
// gallery, and appends samples straight to the Store. Several daemons can live
// in one process.
package daemon

package daemon

import (
	"bytes"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/pkg/config"
)

// reload asks Run's loop to change the configuration.
type reload struct {
	do   func() error
	done chan error // holds one
}

// Reload replaces the configuration: sources and charts that did not change go
// on undisturbed, sessions stay; those that the section auth lets in no more are
// closed. If it returns an error, nothing has changed.
// The sections store and session, log.format, the address, and of the section
// server heartbeat, request_timeout, max_pictures, admin and whether there is TLS take effect at the next
// start. It must not be called by a source.
func (d *Daemon) Reload(cfg *config.Config) error {
	return d.ask(func() error { return d.noted(d.apply(cfg)) })
}

// ReloadFile reads the file of WithConfigFile again, as SIGHUP asks. A broken
// file changes nothing; the error, which names every mistake by line, is
// logged too and shows in /metrics.
func (d *Daemon) ReloadFile() error {
	return d.ask(d.reloadFile)
}

// ask lets Run's loop do it: one reload at a time, and none after the drain
// has begun.
func (d *Daemon) ask(do func() error) error {
	if !d.started.Load() {
		return errStopped
	}
	r := reload{do: do, done: make(chan error, 1)}
	select {
	case d.reloads <- r:
		return <-r.done
	case <-d.draining:
		return errStopped
	}
}

// reloadFile is ReloadFile in Run's loop.
func (d *Daemon) reloadFile() error {
	if d.opts.file == "" {
		return errors.New("reload: the daemon was started without a configuration file")
	}
	cfg, err := d.opts.load(d.opts.file)
	if err == nil {
		err = d.opts.emptied()
	}
	if err == nil {
		err = d.apply(cfg)
	}
	return d.noted(err)
}

// emptied refuses a file that has nothing in it any more. It would be a
// configuration without charts; but it is what a save on a full disk leaves.
func (o *options) emptied() error {
	data, err := config.ReadFile(o.file)
	if err == nil && len(bytes.TrimSpace(data)) == 0 {
		err = fmt.Errorf("%s: the file is empty; a configuration without charts says \"charts: {}\"", o.file)
	}
	return err
}

// noted logs and counts how a reload went, and returns err.
func (d *Daemon) noted(err error) error {
	if err == nil {
		d.metrics.reloadOK.Set(1)
		d.metrics.reloadTime.SetToCurrentTime()
		return nil
	}
	d.metrics.reloadOK.Set(0)
	d.metrics.reloadFailures.Inc()
	const what = "configuration refused; what was there goes on"
	mistakes, ok := errors.AsType[*config.Errors](err)
	if !ok {
		d.log.Error(what, zap.Error(err))
		return err
	}
	for _, m := range mistakes.List {
		d.log.Error(what, zap.String("file", m.File), zap.Int("line", m.Line), zap.Error(m))
	}
	return err
}

// apply makes cfg the configuration. What can refuse comes first: then nothing
// has changed.
func (d *Daemon) apply(cfg *config.Config) error {
	cfg = d.opts.here(cfg)
	gate, err := d.newGate(cfg)
	if err != nil {
		return err
	}
	charts, err := newChartSet(cfg, d.opts, d.rows, d.charts)
	if err != nil {
		return err
	}
	if err := d.sources.Apply(cfg.Sources); err != nil {
		return err
	}
	if err := d.server.SetConfig(cfg.Server); err != nil {
		return errors.Join(err, d.sources.Apply(d.cfg.Sources))
	}
	if gate != d.gate {
		d.gates <- gate
		d.setGate(gate)
	}
	before := d.charts
	d.charts = charts
	d.hub.SetCharts(d.charts.served())
	before.forget(d.rows, d.charts)
	d.server.SetCharts(d.charts.list(cfg))
	if level, err := zapcore.ParseLevel(string(cfg.Log.Level)); err == nil && d.opts.log == nil {
		d.level.SetLevel(level)
	}
	if err := orphan(cfg, d.opts); err != nil {
		d.log.Warn("a handler has no chart now", zap.Error(err))
	}
	d.remind(cfg)
	d.cfg = cfg
	return nil
}

// remind logs what changed, and what of it waits for the next start.
func (d *Daemon) remind(cfg *config.Config) {
	was, diff := d.cfg, config.Compare(d.cfg, cfg)
	d.log.Info("configuration changed", zap.Any("charts", diff.Charts), zap.Any("sources", diff.Sources), zap.Strings("sections", diff.Sections))
	for _, s := range []struct {
		name    string
		differs bool
	}{
		{"listen", was.Listen != cfg.Listen},
		{"store", was.Store != cfg.Store},
		{"session", was.Session != cfg.Session},
		{"log.format", was.Log.Format != cfg.Log.Format},
		{"server.heartbeat", was.Server.Heartbeat != cfg.Server.Heartbeat},
		{"server.request_timeout", was.Server.RequestTimeout != cfg.Server.RequestTimeout},
		{"server.admin", was.Server.Admin != cfg.Server.Admin},
		{"server.tls", (was.Server.TLS.Cert == "") != (cfg.Server.TLS.Cert == "")},
		{"server.max_pictures", was.Server.MaxPictures != cfg.Server.MaxPictures},
	} {
		if s.differs {
			d.log.Warn("this change takes effect at the next start", zap.String("setting", s.name))
		}
	}
}

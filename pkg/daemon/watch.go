package daemon

import (
	"context"
	"crypto/sha256"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/handler/script"
)

// digest tells two states of the configuration file, and of the scripts that it
// names, apart. A file that cannot
// be read has a state too.
func (o *options) digest() [sha256.Size]byte {
	data, err := config.ReadFile(o.file)
	if err != nil {
		return sha256.Sum256([]byte("unreadable: " + err.Error()))
	}
	h := sha256.New()
	write := func(b []byte) {
		one := sha256.Sum256(b) // so that nothing can move from one to the next
		h.Write(one[:])
	}
	write(data)
	dir := filepath.Dir(o.file)
	for _, path := range config.ScriptFiles(dir, data) {
		name, err := filepath.Rel(dir, path)
		var source string
		if err == nil {
			source, err = script.Read(dir, name)
		}
		if err != nil {
			source = "unreadable: " + err.Error()
		}
		write([]byte(source))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// scripts returns the files that the configuration file names.
func (o *options) scripts() []string {
	data, err := config.ReadFile(o.file)
	if err != nil {
		return nil
	}
	return config.ScriptFiles(filepath.Dir(o.file), data)
}

// watch sends to changed when the configuration file or one of its scripts has
// other contents, until ctx ends.
func (d *Daemon) watch(ctx context.Context, changed chan<- struct{}) {
	// The first look, when changes are being noticed, finds what changed since New.
	err := config.Watch(ctx, d.opts.file, d.opts.scripts, func() {
		now := d.opts.digest()
		if now == d.seen {
			return
		}
		d.seen = now
		select {
		case changed <- struct{}{}:
		default: // one is waiting already and will see this state
		}
	})
	if err != nil {
		d.log.Warn("changes of the configuration file go unnoticed; SIGHUP still reloads it", zap.Error(err))
	}
}

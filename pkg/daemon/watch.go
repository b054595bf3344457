package daemon

import (
	"context"
	"crypto/sha256"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
)

// digest tells two states of the configuration file apart. A file that cannot
// be read has a state too.
func (o *options) digest() [sha256.Size]byte {
	data, err := config.ReadFile(o.file)
	if err != nil {
		return sha256.Sum256([]byte("unreadable: " + err.Error()))
	}
	return sha256.Sum256(data)
}

// watch sends to changed when the configuration file has other contents, until
// ctx ends.
func (d *Daemon) watch(ctx context.Context, changed chan<- struct{}) {
	// The first look, when changes are being noticed, finds what changed since New.
	err := config.Watch(ctx, d.opts.file, func() {
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

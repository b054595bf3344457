// Package builtin lists the kinds of sources that every chartd knows.
package builtin

import (
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/exec"
	"github.com/chartd/chartd/pkg/source/file"
	"github.com/chartd/chartd/pkg/source/host"
	"github.com/chartd/chartd/pkg/source/http"
	"github.com/chartd/chartd/pkg/source/influx"
	"github.com/chartd/chartd/pkg/source/kafka"
	"github.com/chartd/chartd/pkg/source/mqtt"
	"github.com/chartd/chartd/pkg/source/nats"
	"github.com/chartd/chartd/pkg/source/otlp"
	"github.com/chartd/chartd/pkg/source/prometheus"
	"github.com/chartd/chartd/pkg/source/push"
	"github.com/chartd/chartd/pkg/source/redis"
	"github.com/chartd/chartd/pkg/source/remotewrite"
	"github.com/chartd/chartd/pkg/source/scrape"
	"github.com/chartd/chartd/pkg/source/sql"
	"github.com/chartd/chartd/pkg/source/statsd"
)

// Kinds returns a new registry: a line for each kind.
func Kinds() source.Registry {
	return source.Registry{
		exec.Kind:        func() source.Config { return exec.DefaultConfig() },
		file.Kind:        func() source.Config { return file.DefaultConfig() },
		host.Kind:        func() source.Config { return host.DefaultConfig() },
		http.Kind:        func() source.Config { return http.DefaultConfig() },
		influx.Kind:      func() source.Config { return influx.DefaultConfig() },
		kafka.Kind:       func() source.Config { return kafka.DefaultConfig() },
		mqtt.Kind:        func() source.Config { return mqtt.DefaultConfig() },
		nats.Kind:        func() source.Config { return nats.DefaultConfig() },
		otlp.Kind:        func() source.Config { return otlp.DefaultConfig() },
		prometheus.Kind:  func() source.Config { return prometheus.DefaultConfig() },
		push.Kind:        func() source.Config { return push.DefaultConfig() },
		redis.Kind:       func() source.Config { return redis.DefaultConfig() },
		remotewrite.Kind: func() source.Config { return remotewrite.DefaultConfig() },
		scrape.Kind:      func() source.Config { return scrape.DefaultConfig() },
		sql.Kind:         func() source.Config { return sql.DefaultConfig() },
		statsd.Kind:      func() source.Config { return statsd.DefaultConfig() },
	}
}

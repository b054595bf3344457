// Package host reads the machine that chartd runs on: processor, load, memory,
// network, disks.
//
//	host_cpu_percent{mode}                    user nice system idle iowait irq softirq steal; adds up to 100
//	host_cpu_busy_percent                     what is neither idle nor iowait
//	host_load{period}                         1m 5m 15m
//	host_memory_bytes{state}                  used buffers cached free; adds up to all there is
//	host_swap_bytes{state}                    used free; absent without swap
//	host_network_bytes_per_second{direction}  in out; the sum of what reaches the machine from outside
//	host_interface_bytes_per_second{direction,interface}  with per_interface
//	host_disk_bytes_per_second{direction}     read write; the sum over whole disks
//	host_disk_used_percent{mount}             as df has it
//	host_uptime_seconds
//
// All samples of one reading have the same time. What the system does not tell
// is left out and logged once. In a container, HOST_PROC and HOST_SYS may say
// where the host's /proc and /sys are mounted.
package host

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/store"
)

// firstRates is how soon after the start the first rates are taken, if the
// interval is longer: somebody may be looking.
const firstRates = 250 * time.Millisecond

// Source reads this machine.
type Source struct {
	cfg Config
	log *zap.Logger

	told  map[string]bool // readings whose absence has been logged
	cpu   cpuTimes        // at the reading before
	rates rates
}

// probe is one thing that can be read.
type probe struct {
	name string
	read func(s *Source, ctx context.Context, r *reading) error
}

// probes lists what is read, in order.
func probes() []probe {
	return []probe{
		{"cpu", (*Source).readCPU},
		{"load", (*Source).readLoad},
		{"memory", (*Source).readMemory},
		{"network", (*Source).readNetwork},
		{"disk throughput", (*Source).readDisks},
		{"disk usage", (*Source).readMounts},
		{"uptime", (*Source).readUptime},
	}
}

// reading is what was read at one time.
type reading struct {
	at      time.Time
	samples []sample
}

type sample struct {
	metric string
	labels store.Labels
	value  float64
}

// add adds a sample; labels are names and values, sorted by name.
func (r *reading) add(metric string, value float64, labels ...string) {
	ls := make(store.Labels, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		ls = append(ls, store.Label{Name: labels[i], Value: labels[i+1]})
	}
	r.samples = append(r.samples, sample{metric, ls, value})
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	s.told, s.cpu, s.rates = map[string]bool{}, cpuTimes{}, rates{}
	interval := s.cfg.Interval.Std()
	if err := s.take(ctx, app); err != nil {
		return err
	}
	if interval > firstRates {
		if !sleep(ctx, firstRates) {
			return nil
		}
		if err := s.take(ctx, app); err != nil {
			return err
		}
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.take(ctx, app); err != nil {
				return err
			}
		}
	}
}

// take takes one reading and appends it.
func (s *Source) take(ctx context.Context, app store.Appender) error {
	r := reading{at: time.Now()}
	for _, p := range probes() {
		err := p.read(s, ctx, &r)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to stop
		}
		if err != nil && !s.told[p.name] {
			s.told[p.name] = true
			s.log.Warn("cannot read; going on without", zap.String("reading", p.name), zap.Error(err))
		}
	}
	if len(r.samples) == 0 {
		return errors.New("nothing of this machine can be read")
	}
	for _, smp := range r.samples {
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(smp.metric, smp.labels, r.at.UnixMilli(), smp.value)
	}
	return nil
}

// sleep waits; it reports false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

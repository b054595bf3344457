package host

import (
	"context"
	"errors"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
)

// cpuModes are what a processor can be busy with, as its label says it. Time
// given to guests is part of user and nice.
func cpuModes() [8]string {
	return [...]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
}

// Where the modes in which nothing is done stand among cpuModes.
const (
	idle   = 3
	iowait = 4
)

// cpuTimes are seconds since the start, by mode.
type cpuTimes [8]float64

func (s *Source) readCPU(ctx context.Context, r *reading) error {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no processor times")
	}
	t := all[0]
	now := cpuTimes{t.User, t.Nice, t.System, t.Idle, t.Iowait, t.Irq, t.Softirq, t.Steal}
	if percent, ok := now.since(s.cpu); ok && s.cpu != (cpuTimes{}) {
		for i, mode := range cpuModes() {
			r.add("host_cpu_percent", percent[i], "mode", mode)
		}
		r.add("host_cpu_busy_percent", max(0, 100-percent[idle]-percent[iowait]))
	}
	s.cpu = now
	return nil
}

// since returns how the time since before was spent, in percent that add up to
// 100; ok is false if no time has passed. Some counters go back a little at
// times, iowait for one; that counts as nothing.
func (t cpuTimes) since(before cpuTimes) (percent cpuTimes, ok bool) {
	total := 0.0
	for i := range t {
		percent[i] = max(0, t[i]-before[i])
		total += percent[i]
	}
	if total <= 0 {
		return cpuTimes{}, false
	}
	for i := range percent {
		percent[i] *= 100 / total
	}
	return percent, true
}

func (s *Source) readLoad(ctx context.Context, r *reading) error {
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return err
	}
	r.add("host_load", avg.Load1, "period", "1m")
	r.add("host_load", avg.Load5, "period", "5m")
	r.add("host_load", avg.Load15, "period", "15m")
	return nil
}

func (s *Source) readUptime(ctx context.Context, r *reading) error {
	seconds, err := host.UptimeWithContext(ctx)
	if err != nil {
		return err
	}
	r.add("host_uptime_seconds", float64(seconds))
	return nil
}

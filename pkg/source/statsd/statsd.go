// Package statsd receives what StatsD and DogStatsD clients send over UDP and
// makes samples of it at every flush.
//
// A line is "name:value|type", with "|@0.1" for a sampling rate and
// "|#tag:value,flag" for tags; several lines may be in a packet, and several
// values, "name:1:2|ms", in a line. Tags become labels, one without a value is
// "true"; Telegraf's form, "name,tag=value:1|c", is understood too. Names are
// kept as they are. What becomes of a metric called "name":
//
//	c          name.count, in the interval, and name.rate, per second
//	g          name; "+1" and "-1" change it, so 0 must come before a value below 0
//	ms, h, d   name.count .sum .mean .lower .upper and .p50, .p90 and .p99
//	s          name.count, of different values in the interval
//
// Count, sum, mean and percentiles are what they would be without sampling. A
// metric has one type: a line of another is rejected. Until a metric is forgotten,
// silence is 0 for counts, the last value for a gauge, and a gap for times. Events
// and service checks of DogStatsD are left out and counted; its timestamps are not
// used. A line that cannot be read is rejected, and the others of its packet are
// not.
package statsd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

const (
	maxPacket = 64 << 10
	// kernelBuffer is what is asked for, in bytes, so that a burst waits for its
	// turn; the system may give less.
	kernelBuffer = 4 << 20
)

// Source receives StatsD packets.
type Source struct {
	cfg  *Config
	deps source.Deps
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", s.cfg.Address)
	if err != nil {
		return err
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return errors.Join(fmt.Errorf("%T is no UDP connection", conn), conn.Close())
	}
	defer func() { _ = udp.Close() }() // nothing is lost by it
	if err := udp.SetReadBuffer(kernelBuffer); err != nil {
		s.deps.Logger.Debug("the system's buffer stays as it is", zap.Error(err))
	}
	s.deps.Logger.Info("statsd listens", zap.Stringer("address", udp.LocalAddr()))
	stop := context.AfterFunc(ctx, func() { _ = udp.Close() }) // which ends reading
	defer stop()
	err = s.receive(udp, app)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// receive takes packets until reading ends. Reading ends at every flush, too: so
// nothing is shared, and nothing locked.
func (s *Source) receive(udp *net.UDPConn, app store.Appender) error {
	every := s.cfg.FlushInterval.Std()
	now := time.Now()
	c := newCollection(s.cfg, s.deps.Skip, s.deps.Reject, now)
	next := now.Add(every)
	if err := udp.SetReadDeadline(next); err != nil {
		return err
	}
	buf := make([]byte, maxPacket)
	var from netip.AddrPort
	for {
		n, sender, err := udp.ReadFromUDPAddrPort(buf)
		now = time.Now()
		switch {
		case err == nil:
			from = sender
			c.packet(buf[:n], &from, now.UnixMilli())
		case !errors.Is(err, os.ErrDeadlineExceeded):
			c.flush(app, now) // what came last
			return err
		}
		if now.Before(next) {
			continue
		}
		c.flush(app, now)
		for !next.After(now) { // one that is late is not made up for
			next = next.Add(every * (1 + now.Sub(next)/every))
		}
		if err := udp.SetReadDeadline(next); err != nil {
			return err
		}
	}
}

// Package pipe shows live charts of what a command prints: it reads lines, finds
// the numbers in them, groups them into charts, serves these, and passes the
// lines on.
//
//	vmstat 1 | chartd pipe
package pipe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Config says how the charts of a stream of lines are served.
type Config struct {
	// Listen is the address to listen on; empty is port 8080 of this machine
	// alone, or a free one if that is taken.
	Listen string
	// Title stands above the charts.
	Title string
	// Match is a regular expression whose groups are the numbers; empty finds
	// them by itself.
	Match string
	// Window is how much time the charts span; 0 follows what comes.
	Window quantity.Duration
	// Exit ends Run with the input.
	Exit bool
	// Version is how the server calls itself.
	Version string
}

// Validate returns what is wrong with c.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	if c.Match != "" {
		format := lines.DefaultConfig()
		format.Match = c.Match
		ps = append(ps, format.Validate()...)
	}
	if c.Window != 0 && (c.Window < plotting.MinWindow || c.Window > plotting.MaxWindow) {
		ps = append(ps, problem.Problem{Path: "window", What: fmt.Sprintf("%v is out of range", c.Window), Want: fmt.Sprintf("%v to %v", plotting.MinWindow, plotting.MaxWindow)})
	}
	if c.Listen != "" {
		if err := config.CheckListen(c.Listen); err != nil {
			ps = append(ps, problem.Problem{Path: "listen", What: err.Error()})
		}
	}
	return ps
}

const (
	preferred = "127.0.0.1:8080"
	// settle is how long after something new a page waits for more of it before
	// it is laid out anew; look is how often that is asked.
	settle = 150 * time.Millisecond
	look   = 50 * time.Millisecond
	// silence is how long lines without numbers may come before that is said.
	silence = 10 * time.Second
	// waiting is how many lines may wait to be read.
	waiting = 256
)

// errNothing ends a stream without numbers.
var errNothing = errors.New("no numbers were found in what was read; --match 'REGEXP' says where they are")

// Run reads lines from in until it ends, copies them to out, and serves their
// charts until ctx ends; what is to be said, the address first, goes to say.
// After the end of in it goes on serving, unless c.Exit. If in is still open
// when Run returns, what reads it is left behind until the next line, or the
// end, comes; nothing more is copied then.
func Run(ctx context.Context, c Config, in io.Reader, out, say io.Writer) error {
	if ps := c.Validate(); len(ps) > 0 {
		return ps[0]
	}
	p, err := newPage(ctx, c)
	if err != nil {
		return err
	}
	log, _, err := daemon.NewLogger(config.Log{Level: "warn", Format: config.LogConsole}, say)
	if err != nil {
		return err
	}
	d, err := daemon.New(p.config(), daemon.WithLogger(log), daemon.WithAnnounce(say), daemon.WithVersion(c.Version))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	select {
	case <-d.Ready():
	case err := <-done:
		return err
	}
	go func() {
		defer close(p.feed.lines)
		p.feed.broken = copyLines(ctx, in, out, p.feed.lines)
	}()
	err = p.follow(ctx, d, say, done)
	cancel()
	if ended := <-done; ended != nil && err == nil {
		err = ended
	}
	return err
}

// copyLines reads lines, copies them to out and sends them on, until in ends or,
// with an error, breaks off.
func copyLines(ctx context.Context, in io.Reader, out io.Writer, to chan<- []byte) error {
	r := bufio.NewReaderSize(in, lines.MaxLine+1)
	within := false // a line that is too long, whose beginning was sent on
	for {
		line, err := r.ReadSlice('\n')
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if out != nil && len(line) > 0 {
			if _, err := out.Write(line); err != nil {
				out = nil // nobody reads it any more; the charts go on
			}
		}
		if len(line) > 0 && !within {
			select {
			case to <- append([]byte(nil), line...):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		within = errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == nil, within:
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("reading the input: %w", err)
		default:
			return nil
		}
	}
}

// page is the charts of one stream, as they are now.
type page struct {
	cfg    Config
	base   *config.Config
	feed   *feed
	charts []*config.Chart
}

func newPage(ctx context.Context, c Config) (*page, error) {
	base, err := daemon.Parse("")
	if err != nil {
		return nil, err
	}
	if base.Listen = c.Listen; c.Listen == "" {
		base.Listen = free(ctx, preferred)
	}
	base.Store.MaxAge = plotting.MaxWindow
	// A page for one person and those who look over the shoulder.
	base.Server.MaxConnections, base.Server.MaxConnectionsPerAddress = 500, 500
	format := lines.DefaultConfig()
	format.Match = c.Match
	p := &page{cfg: c, base: base, feed: newFeed(format)}
	base.Sources = map[string]source.Config{"stdin": p.feed}
	return p, nil
}

// free returns addr, or, if that is taken, the same with a port that is free.
func free(ctx context.Context, addr string) string {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		host, _, _ := net.SplitHostPort(addr)
		return net.JoinHostPort(host, "0")
	}
	_ = ln.Close()
	return addr
}

// config returns the configuration with the charts of now. It may be reloaded.
func (p *page) config() *config.Config {
	cfg := *p.base
	cfg.Charts = p.charts
	return &cfg
}

// follow lays the page out anew whenever something new comes, until ctx ends, or
// the input if the page ends with it.
func (p *page) follow(ctx context.Context, d *daemon.Daemon, say io.Writer, done chan error) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	warn := time.NewTimer(silence)
	defer warn.Stop()
	ended := p.feed.ended
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-done:
			done <- nil
			return err
		case <-warn.C:
			if n := p.feed.unread(); n > 0 && len(p.charts) == 0 {
				fmt.Fprintf(say, "chartd: no numbers were found in %d lines yet; --match 'REGEXP' says where they are\n", n)
			}
		case <-tick.C:
			if err := p.arrange(d, settle); err != nil {
				return err
			}
		case <-ended:
			ended = nil
			if err := p.arrange(d, 0); err != nil {
				return err
			}
			switch broken := p.feed.broken; {
			case broken != nil && (p.cfg.Exit || len(p.charts) == 0):
				return broken
			case len(p.charts) == 0:
				return errNothing
			case p.cfg.Exit:
				return nil
			case broken != nil:
				fmt.Fprintf(say, "chartd: %v; the charts stay until Ctrl-C\n", broken)
			default:
				fmt.Fprintln(say, "chartd: the input has ended; the charts stay until Ctrl-C")
			}
			p.hint(d, say)
		}
	}
}

// arrange shows the charts that the feed asks for, if they are others than now
// and nothing new came for a while.
func (p *page) arrange(d *daemon.Daemon, after time.Duration) error {
	charts, ok := p.feed.layout(p.cfg, after)
	if !ok {
		return nil
	}
	p.charts = charts
	if err := d.Reload(p.config()); err != nil {
		return fmt.Errorf("showing the charts: %w", err)
	}
	return nil
}

// hint says where old samples are seen whole, if the window is far from them.
func (p *page) hint(d *daemon.Daemon, say io.Writer) {
	from, to := p.feed.span()
	if now := time.Now().UnixMilli(); to == 0 || now-to < 2*(to-from)+60_000 {
		return
	}
	q := url.Values{"from": {strconv.FormatInt(from, 10)}, "to": {strconv.FormatInt(to+1, 10)}}
	fmt.Fprintf(say, "chartd: the lines are of %s to %s; seen from near:\n",
		time.UnixMilli(from).Format(time.DateTime), time.UnixMilli(to).Format(time.DateTime))
	for _, c := range p.charts {
		fmt.Fprintf(say, "  %sc/%s?%s\n", d.URL(), c.Name, q.Encode())
	}
}

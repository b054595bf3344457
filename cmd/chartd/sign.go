package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

func signCommand() command {
	return command{
		name: "sign", args: "--chart NAME [--for TIME] [--origin ORIGIN]... [--config FILE] [--set KEY=VALUE]...",
		short: "make a link that shows one chart to whoever has it",
		long: `
Writes the address of a page that shows one chart, and nothing else, to whoever
has the address, until it expires: for an iframe in somebody else's page. It is
signed with auth.links.secret of the configuration; the server needs the same
secret, and nobody has to be asked or told. Without --origin any page may show
it. What --view says cannot be altered by the viewer; the rest of the view can.

The id of the link is written beside it: put it into auth.links.revoked, and the
link is good no more.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			s := signer{terminal: t, age: quantity.Duration(24 * time.Hour)}
			s.file, s.over = configFlag(t, fs), setFlag(fs)
			fs.StringVar(&s.link.Chart, "chart", "", "the `NAME` of the chart")
			fs.TextVar(&s.age, "for", s.age, "the link is good for `TIME`, as 24h or 30d")
			fs.Func("origin", "only pages of `ORIGIN`, as https://example.com or https://*.example.com, may show it; may be repeated", func(o string) error {
				s.link.Origins = append(s.link.Origins, o)
				return nil
			})
			fs.StringVar(&s.view, "view", "", "what the viewer sees and cannot alter, as `JSON`: {\"window\":\"15m\",\"vars\":{\"host\":\"web1\"}}")
			fs.TextVar(&s.link.MaxWindow, "window-max", quantity.Duration(0), "the viewer can look back `TIME` at most, as 1h")
			fs.IntVar(&s.link.MaxSessions, "sessions", 0, "at most `N` viewers at the same time")
			fs.StringVar(&s.base, "url", "", "the `ADDRESS` of chartd as the viewers know it, as https://charts.example.com, in place of this machine's")
			fs.BoolVar(&s.tag, "tag", false, "write the HTML to embed instead: an iframe, and the tag of chartd.js")
			return s.run
		},
	}
}

// signer is what the command line of sign says.
type signer struct {
	terminal
	file       *string
	over       *[]config.Setting
	link       auth.Link
	age        quantity.Duration
	view, base string
	tag        bool
}

func (s *signer) run(_ context.Context, args []string) error {
	switch {
	case len(args) > 0:
		return usageError{fmt.Sprintf("unexpected argument %q; the chart is given by --chart", args[0])}
	case s.link.Chart == "":
		return usageError{"want --chart NAME"}
	case s.age <= 0:
		return usageError{"--for: want a time above 0, as 24h"}
	}
	if err := s.readView(); err != nil {
		return usageError{"--view: " + err.Error()}
	}
	cfg, err := daemon.Load(*s.file, daemon.WithEnv(s.env), daemon.WithSettings(*s.over...))
	if err != nil {
		return err
	}
	base, err := baseURL(s.base, cfg.Listen, cfg.Server.TLS.Cert != "")
	if err != nil {
		return usageError{"--url: " + err.Error()}
	}
	chart, ok := cfg.Chart(s.link.Chart)
	if !ok {
		names := make([]string, len(cfg.Charts))
		for i, c := range cfg.Charts {
			names[i] = c.Name
		}
		return fmt.Errorf("no chart %q; %s", s.link.Chart, problem.OneOf(s.link.Chart, names))
	}
	view, err := chart.Change(chart.View(chart.Name), s.link.View)
	if err != nil {
		return usageError{"--view: " + err.Error()}
	}
	s.link.Expires = time.Now().Add(s.age.Std())
	link, token, err := cfg.Auth.Links.Sign(s.link)
	if err != nil {
		return err
	}
	address := base + "/c/" + link.Chart + "?link=" + token
	if s.tag {
		title := chart.TitleOf(view, nil)
		if title == "" {
			title = chart.Name
		}
		writeTag(s.out, base, address, token, title, view)
	} else {
		fmt.Fprintln(s.out, address)
	}
	fmt.Fprintf(s.err, "chartd: the id of this link is %s, and it expires on %s\n", link.ID, link.Expires.UTC().Format("2 January 2006 at 15:04 MST"))
	return nil
}

// readView reads --view.
func (s *signer) readView() error {
	if s.view == "" {
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(s.view))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.link.View); err != nil {
		return fmt.Errorf("%w; want JSON, as {\"window\":\"15m\",\"vars\":{\"host\":\"web1\"}}", err)
	}
	if dec.More() {
		return errors.New("want one JSON object, and nothing behind it")
	}
	return nil
}

// writeTag writes both ways to embed a view: one that needs no script in the
// page, and one that becomes part of it.
func writeTag(w io.Writer, base, address, token, title string, view plotting.View) {
	fmt.Fprintf(w, `<!-- either a frame: -->
<iframe src="%s" title="%s" width="%d" height="%d" style="border:0"></iframe>

<!-- or a part of the page, which follows its style: -->
<script type="module" src="%s/chartd.js"></script>
<chartd-chart src="%s" link="%s"></chartd-chart>
`, html.EscapeString(address), html.EscapeString(title), view.Width, view.Height, html.EscapeString(base), view.Chart, token)
}

// baseURL returns the address under which chartd's pages are: the one that is
// given, or that of this machine.
func baseURL(given, listen string, tls bool) (string, error) {
	if given == "" {
		_, port, err := net.SplitHostPort(listen)
		if err != nil {
			return "", err
		}
		if tls {
			return "https://" + net.JoinHostPort("localhost", port), nil
		}
		return "http://" + net.JoinHostPort("localhost", port), nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("want an address as https://charts.example.com")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

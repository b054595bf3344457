package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// sub is a client's subscription to a view. It is owned by Client.ops.
type sub struct {
	id     string         // of the view, on the wire
	spec   *plotting.Spec // that view was made by
	view   plotting.View
	events bool
	paused bool
	lease  *ticker.Lease // nil while paused
	slot   *slot         // nil while paused
	held   wire.Pos      // what the client holds, while paused
	gone   bool          // ended, or became another one
}

// ok returns the answer that tells the client what it is subscribed to.
func (s *sub) ok(id wire.ID) wire.OK {
	view := s.spec.Diff(s.view)
	if s.paused {
		view.Paused = &s.paused
	}
	return wire.OK{ID: id, V: s.id, View: &view}
}

// subscribe carries out a sub.
func (c *Client) subscribe(m wire.Sub) {
	if !c.mayRead(m.ID, m.Chart) {
		return
	}
	chart := c.hub.chart(m.Chart)
	if chart == nil {
		c.fail(m.ID, "", c.unknownChart(m.Chart))
		return
	}
	v, failure := c.first(chart.Spec, m.Chart)
	if failure == nil {
		v, failure = c.alter(chart.Spec, v, m.View)
	}
	if failure != nil {
		c.fail(m.ID, "", failure)
		return
	}
	paused := m.View.Paused != nil && *m.View.Paused
	ok := func(s *sub) { c.ok(s.ok(m.ID)) }
	if s := c.watching(v); s != nil {
		if err := c.repeat(s, nil, m.Events, paused, m.Pos, ok, nil); err != nil {
			c.fail(m.ID, s.id, err)
		}
		return
	}
	if most := c.hub.cfg.MaxSubscriptions; len(c.subs) >= most {
		c.hub.metrics.refuse(limitSubscriptions)
		c.refuse(m.ID, "", wire.CodeTooManyViews, "", fmt.Sprintf("this session is subscribed to %d views, as many as session.max_subscriptions allows", most))
		return
	}
	s := &sub{id: c.freeID(v), spec: chart.Spec, view: v, events: m.Events, paused: paused, held: m.Pos}
	var lease *ticker.Lease
	if !paused {
		var err *wire.Error
		if lease, err = c.lease(nil, ticker.Key{View: v, ID: s.id}); err != nil {
			c.fail(m.ID, "", err)
			return
		}
	}
	if c.subs == nil {
		c.subs = map[string]*sub{}
	}
	c.subs[s.id] = s
	c.hub.metrics.subscriptions.Inc()
	ok(s)
	c.watch(s, lease, nil)
}

// unsubscribe carries out an unsub.
func (c *Client) unsubscribe(m wire.Unsub) {
	s := c.named(m.ID, m.V)
	if s == nil {
		return
	}
	c.drop(s)
	c.ok(wire.OK{ID: m.ID, V: m.V})
}

// resync carries out a resync.
func (c *Client) resync(m wire.Resync) {
	s := c.named(m.ID, m.V)
	switch {
	case s == nil:
	case s.lease == nil:
		s.held = wire.Pos{}
	default:
		c.out.rewind(s.slot, wire.Pos{})
		s.lease.Resend()
	}
}

// set carries out a set.
func (c *Client) set(m wire.Set) {
	s := c.named(m.ID, m.V)
	if s == nil {
		return
	}
	v, failure := c.alter(s.spec, s.view, m.View)
	if failure != nil {
		c.fail(m.ID, s.id, failure)
		return
	}
	paused := s.paused
	if m.View.Paused != nil {
		paused = *m.View.Paused
	}
	ok := func(s *sub) { c.ok(s.ok(m.ID)) }
	if err := c.change(s, v, paused, ok, nil); err != nil {
		c.fail(m.ID, s.id, err)
	}
}

// named returns a subscription by its view's id, or refuses the request.
func (c *Client) named(id wire.ID, v string) *sub {
	s := c.subs[v]
	if s == nil {
		c.refuse(id, v, wire.CodeUnknownView, "v", fmt.Sprintf("this session is not subscribed to %q; it may have moved", v))
	}
	return s
}

// watching returns the subscription to a view, nil if there is none.
func (c *Client) watching(v plotting.View) *sub {
	for _, s := range c.subs {
		if s.view == v {
			return s
		}
	}
	return nil
}

// freeID returns the id of a view for a new subscription. It is the view's own,
// unless another subscription has it: a reload changed what that one shows.
func (c *Client) freeID(v plotting.View) string {
	id := v.ID()
	for c.subs[id] != nil {
		id += "-"
	}
	return id
}

// unknownChart says that there is no such chart, and which may have been meant
// of those that the caller may know of.
func (c *caller) unknownChart(name string) *wire.Error {
	text := fmt.Sprintf("no chart %q", name)
	names := slices.Sorted(maps.Keys(*c.hub.charts.Load()))
	names = slices.DeleteFunc(names, func(n string) bool { return !c.grant.MayRead(n) })
	if near := problem.Nearest(name, names); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return &wire.Error{Code: wire.CodeUnknownChart, Field: "chart", Message: text}
}

// noLease turns the pool's refusal into the client's.
func (c *Client) noLease(chart string, err error) *wire.Error {
	switch {
	case errors.Is(err, ticker.ErrTooManyViews):
		c.hub.metrics.refuse(limitViews)
		return &wire.Error{Code: wire.CodeOverloaded, Message: err.Error() + " (session.max_views)"}
	case errors.Is(err, ticker.ErrUnknownChart):
		return c.unknownChart(chart)
	}
	return &wire.Error{Code: wire.CodeInternal, Message: err.Error()}
}

// badView turns what a chart refuses into an error that names the field.
func badView(err error) *wire.Error {
	all := problem.Joined(err)
	field, text, found := strings.Cut(all[0].Error(), ": ")
	if !found {
		return &wire.Error{Code: wire.CodeBadView, Field: "view", Message: all[0].Error()}
	}
	field, _, _ = strings.Cut(field, ",")
	for _, more := range all[1:] {
		text += "; view." + more.Error()
	}
	return &wire.Error{Code: wire.CodeBadView, Field: "view." + field, Message: text}
}

package handler_test

import "testing"

// What a viewer does by hand is a callback, too. A row for every text must not
// swallow it: a chart that has one can still be zoomed. Rows that name its fields
// are meant for it.
func TestRowForEverything(t *testing.T) {
	const hour = `{"view":{"window":"1h"}}`
	for _, c := range []struct {
		name, row, arg string
		window         string // of the view then, "" if it is the chart's own
		title          string
		refused        bool
	}{
		{name: "every text, and a zoom", row: `{on: "*", set: {window: 7s, title: mine}}`, arg: hour, window: "1h"},
		{name: "every text, and a text", row: `{on: "*", set: {window: 7s, title: mine}}`, arg: `"x"`, window: "7s", title: "mine"},
		{name: "every text, and what is no text", row: `{on: "*", set: {window: 7s, title: mine}}`, arg: `{"action":"deploy"}`, window: "7s", title: "mine"},
		{name: "every text, and what only looks like a zoom", row: `{on: "*", set: {window: 7s, title: mine}}`, arg: `{"view":"1h"}`, window: "7s", title: "mine"},
		{name: "its text as JSON", row: `{on: '{"view":{"window":"1h"}}', set: {title: mine}}`, arg: hour, window: "1h"},
		{name: "a field of it", row: `{on: {view.window: "*h"}, set: {title: mine}}`, arg: hour, window: "1h", title: "mine"},
		{name: "a field of another zoom", row: `{on: {view.window: "*d"}, set: {title: mine}}`, arg: hour, window: "1h"},
		{name: "all of it", row: `{on: {".": "*"}, set: {window: 7s}}`, arg: hour, window: "7s"},
		{name: "a webhook that nobody answers", row: `{on: "*", webhook: {url: "http://127.0.0.1:1/", allow_private: true, retries: 0}}`, arg: hour, window: "1h"},
		{name: "one that is asked", row: `{on: {view.window: "*"}, webhook: {url: "http://127.0.0.1:1/", allow_private: true, retries: 0}}`, arg: hour, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, "charts: {one: {refresh: 0, window: 10s, series: [{metric: m}], callbacks: ["+c.row+"]}}", nil)
			ok, failed := r.call(c.arg)
			if (failed != nil) != c.refused {
				t.Fatalf("answered with %+v, error %v", ok, failed)
			}
			if c.refused {
				return
			}
			window, title := "", ""
			if ok.View.Window != nil {
				window = ok.View.Window.String()
			}
			if ok.View.Title != nil {
				title = *ok.View.Title
			}
			if window != c.window || title != c.title || !*ok.Handled {
				t.Errorf("window %q, title %q, handled %v; want %q, %q", window, title, *ok.Handled, c.window, c.title)
			}
		})
	}
}

package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/web"
)

// pagePolicy returns the Content-Security-Policy of the HTML pages. Scripts and
// styles come from this server alone, so that markup which slipped through
// could neither run nor hide anything; the script applies a picture's own
// <style> as a constructed sheet, which needs no exception.
func pagePolicy(frameAncestors []string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors " + strings.Join(frameAncestors, " ")
}

// page serves an HTML page among the assets. Pages are shells without anything
// secret: what they show, they ask for.
func (s *Server) page(w http.ResponseWriter, r *http.Request, name string) {
	a, ok := s.assets[name]
	if !ok {
		http.Error(w, "chartd: this build has no page "+name, http.StatusNotFound)
		return
	}
	w.Header()["Content-Security-Policy"] = s.framePolicies(r)
	s.fresh(w)
	a.serve(w, r)
}

// gallery serves the page of all charts.
func (s *Server) gallery(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, web.GalleryPage)
}

// wall serves the page of several charts at once.
func (s *Server) wall(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, web.WallPage)
}

// chartPage serves the page of one chart, if there is such a chart. Who shows
// no credential gets the page, which will ask for one, whether there is a chart
// or not.
func (s *Server) chartPage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("chart")
	s.mark(w)
	from := auth.VisitorOf(r)
	from.Page = true
	g, refusal := s.identify(r, from)
	named := auth.Credential(r) != ""
	switch {
	case refusal != nil && named:
		s.unauthorized(w, r, refusal)
		return
	case refusal != nil, !named && !g.MayRead(name):
		s.page(w, r, web.ChartPage)
		return
	case !s.mayRead(w, r, g, name):
		return
	}
	if _, ok := s.chart(name); !ok {
		s.unknownChart(w, name, g)
		return
	}
	s.page(w, r, web.ChartPage)
}

// asset serves the script, the style and whatever else is embedded. Any page
// may load them: they hold nothing but the program.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	a, ok := s.assets[name]
	if !ok || strings.HasSuffix(name, ".html") {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // a module from another origin needs it
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "no-cache") // ask each time; mostly answered by 304
	a.serve(w, r)
}

// unknownChart answers 404 and says which chart was probably meant, of those
// that the client may know of.
func (s *Server) unknownChart(w http.ResponseWriter, name string, g *auth.Grant) {
	names := slices.Sorted(maps.Keys(s.charts.Load().byName))
	names = slices.DeleteFunc(names, func(n string) bool { return !g.MayRead(n) })
	text := fmt.Sprintf("chartd: no chart %q", name)
	switch near := problem.Nearest(name, names); {
	case near != "":
		text += fmt.Sprintf("; did you mean %q?", near)
	case len(names) == 0:
		text += "; the configuration has no charts"
	default:
		text += "; there is " + strings.Join(names[:min(len(names), 20)], ", ")
		if len(names) > 20 {
			text += fmt.Sprintf(" and %d more", len(names)-20)
		}
	}
	http.Error(w, text, http.StatusNotFound)
}

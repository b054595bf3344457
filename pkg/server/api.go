package server

import (
	"cmp"
	"encoding/json"
	"net/http"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/source"
)

// chartInfo is one chart in the answer of /api/v1/charts. Times are in ms,
// sizes in px.
type chartInfo struct {
	Name        string        `json:"name"`
	Title       string        `json:"title"`
	Description string        `json:"description,omitempty"`
	Kind        plotting.Kind `json:"kind"`
	Refresh     int64         `json:"refresh"`
	Window      int64         `json:"window"`
	Size        [2]int        `json:"size"`
	Vars        []varInfo     `json:"vars,omitempty"`
	Links       chartLinks    `json:"links"`
}

// chartLinks are where a chart can be seen, as paths on this server.
type chartLinks struct {
	Page string `json:"page"`
	SVG  string `json:"svg"`
	PNG  string `json:"png"`
}

// listCharts answers /api/v1/charts with what the client may watch, in the
// order of the configuration.
func (s *Server) listCharts(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	g := s.admit(w, r)
	if g == nil {
		return
	}
	c := s.charts.Load()
	list := make([]chartInfo, 0, len(c.list))
	for _, one := range c.list {
		if g.MayRead(one.Name) {
			list = append(list, s.infoOf(g, c, one.Name, one.Spec, false))
		}
	}
	s.json(w, r, struct {
		Server string      `json:"server"`
		Charts []chartInfo `json:"charts"`
	}{s.version, list})
}

// infoOf tells of one chart as the holder of g sees it at first; values: with
// the values of its vars.
func (s *Server) infoOf(g *auth.Grant, c *charts, name string, spec *plotting.Spec, values bool) chartInfo {
	v, err := g.View(spec, name)
	if err != nil {
		v = spec.View(name) // the link does not fit any more, and shows nothing
	}
	picks := spec.Picks(v, s.store)
	return chartInfo{
		Name: name, Title: cmp.Or(spec.TitleOf(v, s.store), name), Description: picks.Text(spec.Description), Kind: spec.Kind,
		Refresh: spec.Refresh.Millis(), Window: spec.Window.Millis(), Size: spec.Size, Vars: s.varsOf(g, c, name, spec, values),
		Links: chartLinks{Page: "/c/" + name, SVG: "/charts/" + name + ".svg", PNG: "/charts/" + name + ".png"},
	}
}

// listSources answers /api/v1/sources.
func (s *Server) listSources(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	list := s.sources.Status()
	if list == nil {
		list = []source.Status{}
	}
	s.json(w, r, struct {
		Sources []source.Status `json:"sources"`
	}{list})
}

// cors lets the pages of the origins that may use this server read an answer.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" && s.checkOrigin(r) == nil {
		h.Set("Access-Control-Allow-Origin", origin)
	}
}

// json answers with a value.
func (s *Server) json(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.log.Error("encode an answer", zap.Error(err), zap.String("path", r.URL.Path))
		http.Error(w, "chartd: internal error; the server's log has more", http.StatusInternalServerError)
		return
	}
	s.fresh(w)
	newAsset(append(b, '\n'), "application/json").serve(w, r)
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
)

// maxPixels bounds a .png: 16 million pixels are 64 MiB while it is drawn.
const maxPixels = 16 << 20

// picturePolicy keeps an .svg that is opened as a page of its own from doing
// anything. Its one <style> element is its own.
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// picture answers /charts/NAME.svg, /charts/NAME.png and /charts/NAME.csv.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	name, format, _ := strings.Cut(file, ".")
	s.cors(w, r) // for what a visitor of another page takes away
	g := s.admit(w, r)
	if g == nil || !s.mayRead(w, r, g, name) {
		return
	}
	spec, ok := s.chart(name)
	switch {
	case !ok:
		s.unknownChart(w, name, g)
		return
	case format == "csv":
		s.table(w, r, g, spec, name)
		return
	case format != "svg" && format != "png":
		http.Error(w, fmt.Sprintf("chartd: no picture %q; there is %s.svg and %s.png, and %s.csv", file, name, name, name), http.StatusNotFound)
		return
	}
	k, err := s.keyOf(g, spec, name, format, r)
	if beyond, ok := errors.AsType[viewError](err); ok {
		s.forbid(w, r, "view", beyond.Error())
		return
	}
	if err != nil {
		http.Error(w, "chartd: "+err.Error(), http.StatusBadRequest)
		return
	}
	if !s.mayDraw(w, r, k) {
		return
	}
	a, err := s.pictures.get(r.Context(), k)
	switch {
	case errors.Is(err, context.Canceled):
		return // nobody is there to read an answer
	case errors.Is(err, errTooManyPictures):
		s.refuse(w, r, "pictures", http.StatusServiceUnavailable, err.Error())
		return
	case errors.Is(err, errStopping):
		s.refuse(w, r, "draining", http.StatusServiceUnavailable, err.Error())
		return
	case err != nil:
		s.log.Error("draw a picture", zap.String("chart", name), zap.Error(err))
		http.Error(w, "chartd: the chart cannot be drawn at the moment; the server's log has more", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", picturePolicy)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // any page may show it in an <img>
	if r.Header.Get("Authorization") != "" && s.guarded() {
		// Somebody between a browser and here may add the header to every request,
		// whatever page makes it.
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
	s.fresh(w)
	a.serve(w, r)
}

// keyOf reads which picture a request wants.
func (s *Server) keyOf(g *auth.Grant, spec *plotting.Spec, name, format string, r *http.Request) (pictureKey, error) {
	k := pictureKey{spec: spec, format: format, scale: 1}
	q := r.URL.Query()
	change, err := changeOf(q, "theme", "scale", "link")
	errs := []error{err}
	if k.view, err = s.viewOf(g, spec, name, change); err != nil {
		errs = append(errs, err)
	}
	switch theme := q.Get("theme"); theme {
	case "":
	case "light", "dark":
		k.theme = plotting.Theme(theme)
	default:
		errs = append(errs, fmt.Errorf("theme: no theme %q; %s", theme, problem.OneOf(theme, []string{"light", "dark"})))
	}
	if v := q.Get("scale"); v != "" {
		f, err := strconv.ParseFloat(v, 64)
		switch {
		case format != "png":
			errs = append(errs, errors.New("scale: is for .png; an .svg has any scale"))
		case err != nil || !(f >= 0.25 && f <= 4):
			errs = append(errs, fmt.Errorf("scale: %q is not a number of 0.25 to 4", v))
		default:
			k.scale = f
		}
	}
	if px := float64(k.view.Width) * float64(k.view.Height) * k.scale * k.scale; format == "png" && px > maxPixels {
		errs = append(errs, fmt.Errorf("size: %.0f pixels in all; a .png has at most %d", px, maxPixels))
	}
	return k, errors.Join(errs...)
}

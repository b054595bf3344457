package server

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/plotting"
)

const (
	// maxTableSamples bounds a .csv; of more, the newest are there.
	maxTableSamples = 1 << 20
	// maxTables is how many .csv are written at once: each takes a processor,
	// and a client that reads slowly keeps it.
	maxTables = 4
	// cutHeader says from when on a .csv is whole, if it is not from the
	// beginning of the range.
	cutHeader = "Chartd-Cut-Before"
	// tableTime is ISO 8601 in UTC, to the ms.
	tableTime = "2006-01-02T15:04:05.000Z"
)

// table answers /charts/NAME.csv: a row for each time at which one of the
// series that are shown has a sample, and a column for each series.
func (s *Server) table(w http.ResponseWriter, r *http.Request, g *auth.Grant, spec *plotting.Spec, name string) {
	change, err := changeOf(r.URL.Query(), "link", "theme")
	v, viewErr := s.viewOf(g, spec, name, change)
	if beyond, ok := errors.AsType[viewError](viewErr); ok && err == nil {
		s.forbid(w, r, "view", beyond.Error())
		return
	}
	if err = errors.Join(err, viewErr); err != nil {
		http.Error(w, "chartd: "+err.Error(), http.StatusBadRequest)
		return
	}
	if !s.hasRoom(w, r, headroom.Tight) || !s.mayAsk(w, r) {
		return
	}
	select {
	case s.tables <- struct{}{}:
		defer func() { <-s.tables }()
	default:
		s.refuse(w, r, "tables", http.StatusServiceUnavailable, "too many tables are being written; try again in a moment")
		return
	}
	t, err := plotting.NewTable(spec, s.store, v, time.Now().UnixMilli())
	if err != nil {
		s.log.Error("write a table", zap.String("chart", name), zap.Error(err))
		http.Error(w, "chartd: the chart's samples cannot be read at the moment; the server's log has more", http.StatusInternalServerError)
		return
	}
	defer t.Close()
	h := w.Header()
	result := "whole"
	if from, cut := t.Cut(maxTableSamples); cut {
		result = "cut"
		h.Set(cutHeader, time.UnixMilli(from).UTC().Format(tableTime))
	}
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name+".csv"))
	h.Set("Content-Security-Policy", picturePolicy)
	h.Set("Access-Control-Expose-Headers", cutHeader)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if r.Method != http.MethodHead {
		if err := writeTable(w, r, t); err != nil {
			result = "broken"
		}
	}
	s.metrics.tables.WithLabelValues(result).Inc()
}

// writeTable writes the rows while it reads them.
func writeTable(w http.ResponseWriter, r *http.Request, t *plotting.Table) error {
	out := csv.NewWriter(w)
	record := append(make([]string, 0, 1+len(t.Names())), "time")
	for _, name := range t.Names() {
		record = append(record, harmless(name))
	}
	if err := out.Write(record); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	for ms, row := range t.Rows() {
		record = append(record[:0], time.UnixMilli(ms).UTC().Format(tableTime))
		for _, v := range row {
			record = append(record, number(v))
		}
		if err := out.Write(record); err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
		if err := r.Context().Err(); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// number is a value as every program reads it; what is missing is an empty field.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// harmless returns a name in which no spreadsheet finds a formula: names come
// from whoever sends samples. Where a comma stands in numbers, programs cut
// fields at semicolons or tabs instead.
func harmless(name string) string {
	var b strings.Builder
	begins := true
	for _, r := range name {
		if begins && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = r == ';' || r == '\t'
	}
	return b.String()
}

package server

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// tableRig has a chart of two series with names that mean no good.
func tableRig(t *testing.T) *rig {
	return newRig(t, rigOptions{charts: func(all map[string]*session.Chart) {
		all["cpu"].Spec.Series = []plotting.SeriesSpec{{Metric: "odd", Name: "{name}"}}
	}})
}

func (r *rig) add(name string, ms int64, v float64) {
	r.t.Helper()
	if err := r.store.Append("odd", store.LabelsOf(map[string]string{"name": name}), ms, v); err != nil {
		r.t.Fatal(err)
	}
}

func TestTable(t *testing.T) {
	r := tableRig(t)
	at := time.Now().UnixMilli() - 5000
	for i := range int64(3) {
		r.add("=1+1", at+i*1000, float64(i)-1.5)
		r.add(`a,"b`, at+i*1000+500*(i%2), 1e21)
		r.add("gone", at+i*1000, 9)
	}
	query := url.Values{"hidden": {"gone"}, "from": {strconv.FormatInt(at, 10)}, "to": {strconv.FormatInt(at+4000, 10)}, "timezone": {"Asia/Tokyo"}}.Encode()
	got := r.get("/charts/cpu.csv?" + query)
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		!strings.Contains(got.Header.Get("Content-Disposition"), "attachment; filename*=UTF-8''cpu.csv") || got.Header.Get(cutHeader) != "" {
		t.Fatalf("%d %v", got.StatusCode, got.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	iso := func(ms int64) string { return time.UnixMilli(at + ms).UTC().Format("2006-01-02T15:04:05.000Z") }
	want := [][]string{
		{"time", "'=1+1", `a,"b`},
		{iso(0), "-1.5", "1e+21"},
		{iso(1000), "-0.5", ""},
		{iso(1500), "", "1e+21"},
		{iso(2000), "0.5", "1e+21"},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows:\n%s", len(rows), got.body)
	}
	for i := range want {
		if strings.Join(rows[i], "|") != strings.Join(want[i], "|") {
			t.Errorf("row %d: %q, want %q", i, rows[i], want[i])
		}
	}
	if n := r.metric("chartd_tables_total", `result="whole"`); n != 1 {
		t.Errorf("%v tables counted", n)
	}
	if head := r.do("HEAD", "/charts/cpu.csv", ""); head.StatusCode != http.StatusOK || head.body != "" {
		t.Errorf("HEAD: %d %q", head.StatusCode, head.body)
	}
}

func TestHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"user": "user", "": "", "a=b": "a=b", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "+1": "'+1", "-1": "'-1",
		"@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t'=1", "\r=1": "'\r=1", "＝1": "'＝1",
		"a;b": "a;b", "a;=1": "a;'=1", "a\t@x": "a\t'@x", ";-1": ";'-1", "a,=1": "a,=1",
	} {
		if got := harmless(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

func TestTableRefusals(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.PicturesPerSecond = 1 }})
	for path, want := range map[string]string{
		"/charts/cpuu.csv":            `404 chartd: no chart "cpuu"`,
		"/charts/cpu.csv?windw=5m":    `400 chartd: windw: is no parameter; did you mean "window"?`,
		"/charts/cpu.csv?timezone=xx": `400 chartd: timezone: there is no time zone "xx"`,
	} {
		got := r.get(path)
		if text := strconv.Itoa(got.StatusCode) + " " + got.body; !strings.HasPrefix(text, want) {
			t.Errorf("%s: %q, want %q", path, text, want)
		}
	}
	for range maxTables {
		r.tables <- struct{}{}
	}
	if got := r.get("/charts/cpu.csv"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("while all are being written: %d %q", got.StatusCode, got.body)
	}
	for range maxTables {
		<-r.tables
	}
	refused := false
	for range savedPictures + 4 {
		refused = refused || r.get("/charts/cpu.csv").StatusCode == http.StatusTooManyRequests
	}
	if !refused {
		t.Error("one address may ask for any number of tables")
	}
}

// Of more samples than a table has room for, the newest are there, and the
// answer says so.
func TestTableIsCut(t *testing.T) {
	r := newRig(t, rigOptions{})
	v := r.charts.Load().byName["cpu"].View("cpu")
	table, err := plotting.NewTable(r.charts.Load().byName["cpu"], r.store, v, time.Now().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if from, cut := table.Cut(3); !cut || time.Now().UnixMilli()-from > 5000 {
		t.Errorf("cut %v, from %d", cut, from)
	}
	rows := 0
	for range table.Rows() {
		rows++
	}
	if rows < 2 || rows > 3 {
		t.Errorf("%d rows", rows)
	}
}

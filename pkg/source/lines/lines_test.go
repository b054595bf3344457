package lines_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source/lines"
)

var update = flag.Bool("update", false, "write the expected files anew")

// now is when the recorded lines were read.
var now = time.Date(2026, 11, 22, 15, 39, 15, 0, time.UTC).UnixMilli()

// read returns what a text gives, a line for each line that has samples.
func read(t *testing.T, cfg lines.Config, text string) string {
	t.Helper()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	r := lines.New(cfg, "x")
	var b strings.Builder
	var dst []lines.Sample
	for line := range strings.SplitSeq(text, "\n") {
		var err error
		if dst, err = r.Line(dst[:0], []byte(line), now); err != nil {
			fmt.Fprintf(&b, "error: %v\n", err)
		}
		for i, s := range dst {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(s.Metric)
			if len(s.Labels) > 0 {
				b.WriteString(s.Labels.String())
			}
			fmt.Fprintf(&b, "=%v", s.V)
			if s.Timed && s.T != now {
				fmt.Fprintf(&b, "@%+d", s.T-now)
			}
		}
		if len(dst) > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestRecorded reads what programs printed, with no setting at all.
func TestRecorded(t *testing.T) {
	time.Local = time.UTC
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		seen++
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, lines.DefaultConfig(), string(text))
		golden := file + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s gives\n%swant\n%s", file, got, want)
		}
	}
	if seen < 10 {
		t.Errorf("only %d recorded files", seen)
	}
}

// set returns the defaults with a change.
func set(change func(*lines.Config)) lines.Config {
	c := lines.DefaultConfig()
	change(&c)
	return c
}

func TestLine(t *testing.T) {
	time.Local = time.UTC
	auto := lines.DefaultConfig()
	csv := set(func(c *lines.Config) { c.Format = lines.CSV })
	tests := []struct {
		name string
		cfg  lines.Config
		in   string
		want string
	}{
		{"one number", auto, "12.5\n13\n", "x=12.5\nx=13\n"},
		{"named number", auto, "temp\n12.5\n13\n", "x_temp=12.5\nx_temp=13\n"},
		{"a word and a number", auto, "web1 5\nweb2 6\n", "x{name=\"web1\"}=5\nx{name=\"web2\"}=6\n"},
		{"groups of three", auto, "a b\n1,234 5\n", "x_a=1234  x_b=5\n"},
		{"no thousands behind a zero", auto, "seq=1 time=0,041\nseq=2 time=-0,500\n", "x_seq=1  x_time=0.041\nx_seq=2  x_time=-0.5\n"},
		{"comma", auto, "a,b\n1,2\n3,\n,4\n", "x_a=1  x_b=2\nx_a=3\nx_b=4\n"},
		{"header again", auto, "a,b\n1,2\na,b\n3,4\n", "x_a=1  x_b=2\nx_a=3  x_b=4\n"},
		{"semicolon, decimal comma", auto, "t;a\n2026-11-22 15:39:14;1,5\n", "x_a=1.5@-1000\n"},
		{"tab", auto, "a\tb\n1\t2\n", "x_a=1  x_b=2\n"},
		{"quotes", csv, "\"a, b\",c\n1,\"2\"\n", "x_a_b=1  x_c=2\n"},
		{"quote open", csv, "a,b\n\"1,2\n3,4\n", "error: a quoted field does not end on its line\nx_a=3  x_b=4\n"},
		{"too few", csv, "a,b\n1\n3,4\n", "error: a line has 1 fields; want 2\nx_a=3  x_b=4\n"},
		{"no number", csv, "a,b\n1,2\n3,x\n5,6\n", "x_a=1  x_b=2\nerror: column \"b\": \"x\" is no number\nx_a=5  x_b=6\n"},
		{"bom, crlf", csv, "\ufeffa,b\r\n1,2\r\n", "x_a=1  x_b=2\n"},
		{"comment for a header", auto, "# a,b\n1,2\n", "x_a=1  x_b=2\n"},
		{"bad time", csv, "time,a\n1795361954,1\nnoon,2\n", "x_a=1@-1000\nerror: column \"time\": \"noon\" is no time that is understood; see time_format\n"},
		{"days", auto, "date,a\n2026-11-22,1\n2026/11/21,2\nsoon,3\n", "x_a=1@-56355000\nx_a=2@-142755000\nerror: column \"date\": \"soon\" is no time that is understood; see time_format\n"},
		{"days without a header", auto, "2026-11-22,1\n", "x_c2=1@-56355000\n"},
		{"day and hour", auto, "Date,Time,a\n2026-11-22,15:39:14,1\n2026-11-22,9:39,2\n", "x_a=1@-1000\nx_a=2@-21615000\n"},
		{"hour and day", auto, `{"time":"15:39:14.5","date":"2026-11-22","a":1}` + "\n", "x_a=1@-500\n"},
		{"a day beside a time", auto, `{"date":"2026-11-22","ts":1795361954,"a":1}` + "\n", "x_a=1@-1000\n"},
		{"some other day", csv, "due,a\n2026-11-22,1\n", "x_a{due=\"2026-11-22\"}=1\n"},
		{"spreadsheet", auto, "time;a\n22.11.2026 15:39;1,5\n", "x_a=1.5@-15000\n"},
		{"ms", csv, "ts,a\n1795361954000,1\n", "x_a=1@-1000\n"},
		{
			"web server", set(func(c *lines.Config) {
				c.Match = `\[(?P<time>[^]]+)\] "(?P<method>[A-Z]+) .*" (?P<status>\d+) (?P<bytes>\S+)`
				c.Labels = []string{"method", "status"}
			}), "1.1.1.1 - - [22/Nov/2026:15:39:14 +0000] \"GET / HTTP/1.1\" 200 512\nnothing\n1.1.1.1 - - [22/Nov/2026:16:39:14 +0100] \"PUT /a HTTP/1.1\" 404 -\n1.1.1.1 - - [22/Nov/2026:16:39:15 +0100] \"PUT /a HTTP/1.1\" 404 7\n",
			"x_bytes{method=\"GET\", status=\"200\"}=512@-1000\nx_bytes{method=\"PUT\", status=\"404\"}=7\n",
		},
		{"one group", set(func(c *lines.Config) { c.Match = "time=([0-9.]+)" }), "a time=1.5 ms\nb\n", "x=1.5\n"},
		{"two groups", set(func(c *lines.Config) { c.Match = "(\\d+) of (\\d+)" }), "1 of 7\n", "x_value1=1  x_value2=7\n"},
		{
			"json", auto, `{"t":1795361954,"host":"a","cpu":{"user":1,"sys":2},"ok":true,"list":[1]}` + "\n" + `{"host":"b","cpu":{"user":"3"}}` + "\n{\"a\n" + `{"cpu":{"user":4}} x` + "\n",
			"x_cpu_user{host=\"a\"}=1@-1000  x_cpu_sys{host=\"a\"}=2@-1000  x_ok{host=\"a\"}=1@-1000\nx_cpu_user{host=\"b\"}=3\n" +
				"error: reading JSON: jsontext: unexpected EOF after offset 3\nerror: a line has something behind its JSON object\n",
		},
		{"logfmt", auto, "level=info dur=12ms size=1.5KiB msg=\"a b=c\"\nlevel=warn dur=1s size=2B\n", "x_dur=0.012  x_size=1536\nx_dur=1  x_size=2\n"},
		{"units", auto, "a b c d\n1K 2MiB 50% 3ms\n", "x_a=1024  x_b=2.097152e+06  x_c=50  x_d=0.003\n"},
		{"words", auto, "load average: 0.5, 0.6\nload average: 0.7, 0.8\n", "x_load_average=0.7  x_load_average2=0.8\n"},
		{"words once", auto, "5 packets sent\nnothing 7 here\n", ""},
		{"colours", auto, "\x1b[1ma b\x1b[0m\n\x1b[31m1\x1b[0m 2\r\n", "x_a=1  x_b=2\n"},
		{"progress", auto, "1\r2\r3\n4\n", "x=3\nx=4\n"},
		{"missing", auto, "a b c\n1 - 3\n4 5 NaN\n", "x_a=1  x_c=3\nx_a=4  x_b=5\n"},
		{"values", set(func(c *lines.Config) { c.Format, c.Values, c.Metric = lines.CSV, []string{"b"}, "{column}" }), "a,b,c\n1,2,3\n", "b=2\n"},
		{"names", set(func(c *lines.Config) {
			c.Format, c.Header, c.Labels = lines.CSV, []string{"Room", "v"}, []string{"Room"}
		}), "7,2\n", "x_v{Room=\"7\"}=2\n"},
		{"df", set(func(c *lines.Config) {
			c.Format, c.Header, c.Values = lines.Columns, []string{"mount", "used"}, []string{"used"}
		}), "Mounted on               Use%\n/dev                       5%\n/                         26%\n", "x_used{mount=\"/dev\"}=5\nx_used{mount=\"/\"}=26\n"},
		{"one metric", set(func(c *lines.Config) {
			c.Values, c.Metric = []string{"Use%"}, "disk_used"
		}), "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/vda 264212084 27929228 67572036 30% /\n", "disk_used{filesystem=\"/dev/vda\"}=30\n"},
		{"names that look alike", auto, "a-b,a_b,a b\n1,2,3\n", "x_a_b=1  x_a_b_2=2  x_a_b_3=3\n"},
		{
			"sar's end", auto, "15:39:15 CPU %user %idle\n15:39:16 all 1 99\n15:39:16 0 2 98\n\nAverage: CPU %user %idle\nAverage: all 1 99\nAverage: 0 2 98\n",
			"x_percent_user{cpu=\"all\"}=1  x_percent_idle{cpu=\"all\"}=99\nx_percent_user{cpu=\"0\"}=2  x_percent_idle{cpu=\"0\"}=98\n",
		},
		{"names of columns", set(func(c *lines.Config) { c.Format, c.Header = lines.Columns, []string{"one", "two"} }), "7 2\n8 9\n", "x_one=7  x_two=2\nx_one=8  x_two=9\n"},
		{"layout", set(func(c *lines.Config) { c.Format, c.Time, c.TimeFormat = lines.CSV, "when", "02.01.2006 15.04.05" }), "when,v\n22.11.2026 15.39.14,1\n", "x_v=1@-1000\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, tt.cfg, tt.in); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	r := lines.New(lines.DefaultConfig(), "x")
	if _, err := r.Line(nil, bytes.Repeat([]byte("1"), lines.MaxLine+1), now); err == nil {
		t.Error("a line without end was read")
	}
	var last error
	for i := range 500 {
		_, last = r.Line(nil, fmt.Appendf(nil, "user%d,1,2", i), now)
	}
	if last == nil || !strings.Contains(last.Error(), "more than 200 different values") {
		t.Errorf("500 values of a label nobody asked for: %v", last)
	}
	r = lines.New(set(func(c *lines.Config) { c.Format = lines.JSON }), "x")
	for i := range 5000 {
		_, last = r.Line(nil, fmt.Appendf(nil, `{"k%d":1}`, i), now)
	}
	if last == nil || !strings.Contains(last.Error(), "different columns") {
		t.Errorf("5000 columns: %v", last)
	}
}

// TestMoment holds that lines of one moment, of one series, have times of their
// own, and that they do not run away.
func TestMoment(t *testing.T) {
	r := lines.New(lines.DefaultConfig(), "x")
	seen := map[string]int64{}
	for i := range 20_000 {
		out, err := r.Line(nil, fmt.Appendf(nil, "web%d 5", i%2), now)
		if err != nil || len(out) != 1 {
			t.Fatal(out, err)
		}
		last, ok := seen[out[0].Labels.String()]
		if got := out[0].T; ok && i < 5000 && got != last+1 || !ok && got != now || got > now+5000 {
			t.Fatalf("line %d is of %d ms later, the one before of %d", i, got-now, last-now)
		}
		seen[out[0].Labels.String()] = out[0].T
	}
}

// TestAllocs holds that a line costs no allocation once its columns are known.
func TestAllocs(t *testing.T) {
	for _, tt := range []struct{ name, head, line string }{
		{"csv", "time,host,a,b", "2026-11-22T15:39:15.5Z,web1,1.5,200"},
		{"columns", "name a b", "web1 1.5 200"},
		{"logfmt", "", "a=1 b=2.5 c=3ms"},
		{"json", "", `{"time":1795361954000,"host":"web1","a":1.5,"b":{"c":2}}`},
	} {
		r := lines.New(lines.DefaultConfig(), "x")
		line := []byte(tt.line)
		dst, err := r.Line(nil, []byte(tt.head), now)
		for range 3 {
			dst, err = r.Line(dst[:0], line, now)
		}
		if err != nil || len(dst) < 2 {
			t.Fatalf("%s: %d samples, %v", tt.name, len(dst), err)
		}
		if n := testing.AllocsPerRun(100, func() { dst, _ = r.Line(dst[:0], line, now) }); n > 0 {
			t.Errorf("%s: %v allocations a line", tt.name, n)
		}
	}
}

// TestNumbers holds the quick way to read a number to strconv's.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e12, 1e12).Draw(t, "v")
		format := rapid.SampledFrom([]string{"%v", "%.3f", "%g", "%.10f", "%e"}).Draw(t, "format")
		text := fmt.Sprintf(format, v)
		var want float64
		if _, err := fmt.Sscan(text, &want); err != nil {
			t.Skip(err)
		}
		r := lines.New(lines.DefaultConfig(), "x")
		got, err := r.Line(nil, []byte(text), now)
		if err != nil || len(got) != 1 || got[0].V != want {
			t.Fatalf("%s gives %v, %v", text, got, err)
		}
	})
}

func TestValidate(t *testing.T) {
	tests := map[string]lines.Config{
		"format":      set(func(c *lines.Config) { c.Format = "xml" }),
		"match":       set(func(c *lines.Config) { c.Match = "(" }),
		"separator":   set(func(c *lines.Config) { c.Format, c.Separator = lines.CSV, "ab" }),
		"header":      set(func(c *lines.Config) { c.Format, c.Header = lines.JSON, []string{"a"} }),
		"header[1]":   set(func(c *lines.Config) { c.Format, c.Header = lines.CSV, []string{"a", "a"} }),
		"time_format": set(func(c *lines.Config) { c.TimeFormat = "noon" }),
		"metric":      set(func(c *lines.Config) { c.Metric = "m" }),
	}
	for path, cfg := range tests {
		ps := cfg.Validate()
		if len(ps) != 1 || ps[0].Path != path || ps[0].Want == "" {
			t.Errorf("%s: %v", path, ps)
		}
	}
	if ps := new(set(func(c *lines.Config) { c.Format = lines.Regexp })).Validate(); len(ps) != 1 || ps[0].Path != "match" {
		t.Errorf("regexp without match: %v", ps)
	}
}

// FuzzLine holds that no text breaks a reader, and that what it gives can be
// stored.
func FuzzLine(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && filepath.Ext(file) != ".golden" {
			for i := range lines.Formats() {
				f.Add(text[:min(len(text), 600)], uint8(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, format uint8) {
		cfg := lines.DefaultConfig()
		if cfg.Format = lines.Formats()[int(format)%len(lines.Formats())]; cfg.Format == lines.Regexp {
			cfg.Match = `(?P<host>\w+) (?P<v>[0-9.]+)`
		}
		r := lines.New(cfg, "x")
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			before := bytes.Clone(line)
			samples, err := r.Line(nil, line, now)
			if !bytes.Equal(before, line) {
				t.Fatalf("%q was changed to %q", before, line)
			}
			if err != nil && len(samples) > 0 {
				t.Fatalf("%q: samples and an error: %v", line, err)
			}
			for _, s := range samples {
				if s.Metric == "" || s.Column == nil || math.IsNaN(s.V) || math.IsInf(s.V, 0) {
					t.Fatalf("%q gives %+v", line, s)
				}
				for i := range s.Labels {
					if i > 0 && s.Labels[i-1].Name > s.Labels[i].Name {
						t.Fatalf("%q: labels are not sorted: %v", line, s.Labels)
					}
				}
			}
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for _, tt := range []struct{ name, head, line string }{
		{"csv", "time,host,a,b", "2026-11-22T15:39:15.5Z,web1,1.5,200"},
		{"columns", "name a b", "web1 1.5 200"},
		{"logfmt", "", "a=1 b=2.5 c=3ms"},
		{"json", "", `{"time":1795361954000,"host":"web1","a":1.5,"b":{"c":2}}`},
	} {
		b.Run(tt.name, func(b *testing.B) {
			r := lines.New(lines.DefaultConfig(), "x")
			line := []byte(tt.line)
			dst, err := r.Line(nil, []byte(tt.head), now)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = r.Line(dst[:0], line, now)
			}
			if len(dst) == 0 {
				b.Fatal("no samples")
			}
		})
	}
}

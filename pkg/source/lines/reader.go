// Package lines turns lines of text into samples: CSV with and without a
// header, JSON objects, columns as vmstat, iostat, free and docker stats print
// them, key=value, and whatever a regular expression finds. It finds the
// layout, the header, the time, the numbers and what rows are called by itself,
// as far as the configuration is silent.
package lines

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/chartd/chartd/pkg/store"
)

// MaxLine is how long a line may be, in bytes.
const MaxLine = 64 << 10

// Reader reads the lines of one stream. It is not safe for concurrent use.
type Reader struct {
	// Skipped counts values that were left out on purpose, such as texts.
	Skipped int

	cfg    Config
	source string
	sep    byte // of csv; 0 is not known yet
	comma  bool // numbers have a decimal comma
	family Format
	re     *regexp.Regexp

	now     int64
	out     []Sample
	tables  int
	columns int
	current *schema
	tried   map[string]*schema // by header, or by the names of a line
	rumours []string           // keys of lines that were seen once
	pending error              // of the row that tabular read
	fresh   bool               // the next line may be a header
	heads   [2][]byte          // the lines before that may be headers, newest first

	cells, others []cell
	row           []entry
	labels        store.Labels
	scratch       [32]byte
	work          []byte
	path          []byte
	json          jsontext.Decoder
	jsonIn        bytes.Reader
	texts         text
}

// New returns a Reader. cfg must be valid; source is what {source} stands for
// in the names of metrics.
func New(cfg Config, source string) *Reader {
	r := &Reader{cfg: cfg, source: source, family: cfg.Format, tried: map[string]*schema{}, fresh: true}
	r.sep, _ = separator(cfg.Separator)
	if cfg.Match != "" {
		r.family, r.re = Regexp, regexp.MustCompile(cfg.Match)
	}
	return r
}

// Restart says that the next line is the first of a file or of a program: a
// header may come again.
func (r *Reader) Restart() {
	r.fresh = true
	r.heads[0], r.heads[1] = r.heads[0][:0], r.heads[1][:0]
}

// Layout returns how the lines are laid out, as far as that is known: Auto
// before.
func (r *Reader) Layout() Format { return r.family }

var errLong = fmt.Errorf("a line is longer than %d bytes", MaxLine)

// Line reads one line, without or with its end, that was read at now, in ms
// since the Unix epoch, and appends its samples to dst; their Labels are valid
// until the next call. None and no error is a line without numbers: a header,
// say. What is wrong with a line does not harm the next.
func (r *Reader) Line(dst []Sample, line []byte, now int64) ([]Sample, error) {
	r.out, r.now = dst, now
	if len(line) > MaxLine {
		return dst, errLong
	}
	before := len(dst)
	r.work = append(r.work[:0], line...)
	err := r.line(bytes.TrimPrefix(plain(r.work), []byte("\ufeff")))
	dst, r.out = r.out, nil
	if err != nil {
		return dst[:before], err
	}
	return dst, nil
}

func (r *Reader) line(b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		if r.family == Columns || r.family == Auto {
			r.heads[0], r.heads[1] = r.heads[0][:0], r.heads[1][:0]
		}
		return nil
	}
	switch r.family {
	case JSON:
		return r.object(b)
	case Regexp:
		return r.regexp(b)
	case CSV:
		return r.csv(b)
	case Logfmt:
		return r.logfmt(b)
	case Columns:
		return r.columnar(b)
	case prose:
		return r.prose(b)
	}
	return r.detect(b)
}

// prose is the layout of lines that name their numbers in words.
const prose Format = "prose"

// detect finds the layout.
func (r *Reader) detect(b []byte) error {
	if trimmed := bytes.TrimSpace(b); trimmed[0] == '{' {
		if err := r.object(trimmed); err == nil {
			r.family = JSON
			return nil
		}
		r.current = nil
	}
	if sep := r.sniff(b); sep != 0 {
		r.family, r.sep = CSV, sep
		if len(r.heads[0]) > 0 {
			if err := r.csv(bytes.Clone(r.heads[0])); err != nil || r.current == nil {
				r.current, r.fresh = nil, true
			}
		}
		return r.csv(b)
	}
	if row, err := r.pairs(b); err == nil && len(row) > 0 && r.anyNumber(row) {
		r.family = Logfmt
		return r.logfmt(b)
	}
	r.current = nil
	if r.tabular(b) {
		r.family = Columns
		return r.pending
	}
	r.remember(b)
	return r.prose(b)
}

// remember keeps a line that may be a header.
func (r *Reader) remember(b []byte) {
	r.heads[0], r.heads[1] = r.heads[1], r.heads[0]
	r.heads[0] = append(r.heads[0][:0], b...)
}

func (r *Reader) anyNumber(row []entry) bool {
	for _, e := range row {
		if _, _, ok := value(e.text); ok {
			return true
		}
	}
	return false
}

// byName returns the column of a cell that came with its name.
func (r *Reader) byName(s *schema, name []byte) (*column, error) {
	if c, ok := s.byName[string(name)]; ok {
		return c, nil
	}
	if len(name) > store.MaxLabelName {
		return nil, errors.New("the name of a value is longer than 128 bytes")
	}
	return r.add(s, string(name), "")
}

// only returns the schema of lines whose cells have names.
func (r *Reader) only() *schema {
	if r.current == nil {
		r.current = r.newSchema("")
	}
	return r.current
}

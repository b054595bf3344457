package sql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// dialect is what kind of SQL a database understands.
type dialect int

const (
	unknown dialect = iota
	postgres
	mysql // and MariaDB
	sqlite
)

// bound is a query as its driver wants it.
type bound struct {
	text  string
	marks int // how many arguments stand for :since
}

var errTwo = errors.New("there is more than one statement")

// bind replaces each :since of a query by the dialect's placeholder, but not in
// literals, quoted names and comments. It refuses what is not one statement.
func bind(query string, d dialect) (bound, error) {
	s := scanner{in: query, dialect: d}
	var out strings.Builder
	var b bound
	first, ended := "", false // the first word; a semicolon ended the statement
	for s.at < len(query) {
		from := s.at
		kind, err := s.next()
		if err != nil {
			return bound{}, err
		}
		token := query[from:s.at]
		switch {
		case kind == blank:
		case token == ";":
			ended = true
			continue
		case ended:
			return bound{}, errTwo
		case first == "":
			first = strings.ToUpper(token)
		}
		if kind != param {
			out.WriteString(token)
			continue
		}
		if token != ":since" {
			return bound{}, fmt.Errorf("%s at character %d stands for nothing; only :since does", token, from+1)
		}
		b.marks++
		switch d {
		case postgres:
			out.WriteString("$1")
		case sqlite:
			out.WriteString("?1")
		case mysql, unknown:
			out.WriteString("?")
		}
	}
	b.text = strings.TrimSpace(out.String())
	if first == "" {
		return bound{}, errors.New("there is no statement")
	}
	// The servers see to it that nothing is written; SQLite would create a file
	// that is attached.
	if d == sqlite && !slices.Contains([]string{"SELECT", "WITH", "VALUES"}, first) {
		return bound{}, fmt.Errorf("it begins with %.20q; to SQLite only SELECT, WITH and VALUES are said", first)
	}
	return b, nil
}

// token says what a scanner came upon.
type token int

const (
	other token = iota
	blank       // white space and comments
	param       // :name
)

// scanner cuts SQL into what may hold a placeholder and what may not.
type scanner struct {
	in      string
	at      int
	dialect dialect
}

// next moves over one token.
func (s *scanner) next() (token, error) {
	rest := s.in[s.at:]
	switch c := rest[0]; {
	case isBlank(c):
		s.at++
		return blank, nil
	case strings.HasPrefix(rest, "--") && (s.dialect != mysql || len(rest) == 2 || isBlank(rest[2])),
		c == '#' && s.dialect == mysql:
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			s.at += i
		} else {
			s.at = len(s.in)
		}
		return blank, nil
	case strings.HasPrefix(rest, "/*"):
		return blank, s.comment()
	case c == '\'':
		// The escapes of E'…' were moved over with the word E.
		return other, s.quoted('\'', s.dialect == mysql)
	case c == '"':
		return other, s.quoted('"', s.dialect == mysql)
	case c == '`' && s.dialect != postgres:
		return other, s.quoted('`', false)
	case c == '[' && s.dialect == sqlite:
		return other, s.quoted(']', false)
	case c == '$' && s.dialect == postgres:
		return other, s.dollar()
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="):
		s.at += 2
		return other, nil
	case c == ':' && len(rest) > 1 && isLetter(rest[1]) && !s.inSlice():
		s.at++
		s.word()
		return param, nil
	case isWord(c):
		s.word()
		if word := rest[:s.at-(len(s.in)-len(rest))]; s.dialect == postgres && (word == "E" || word == "e") && s.at < len(s.in) && s.in[s.at] == '\'' {
			return other, s.quoted('\'', true)
		}
		return other, nil
	}
	s.at++
	return other, nil
}

// inSlice reports whether a colon stands in an array's slice, as in a[1:n].
func (s *scanner) inSlice() bool {
	if s.dialect != postgres || s.at == 0 {
		return false
	}
	before := s.in[s.at-1]
	return before == '[' || before == ']' || isWord(before)
}

func (s *scanner) word() {
	for s.at < len(s.in) && (isWord(s.in[s.at]) || s.in[s.at] == '$' && s.dialect != sqlite) {
		s.at++
	}
}

// quoted moves over what a quote begins. A doubled quote ends it and begins the
// next.
func (s *scanner) quoted(end byte, backslash bool) error {
	from := s.at
	for s.at++; s.at < len(s.in); s.at++ {
		switch s.in[s.at] {
		case '\\':
			if backslash {
				s.at++
			}
		case end:
			s.at++
			return nil
		}
	}
	s.at = len(s.in)
	return fmt.Errorf("the %c at character %d is never closed", s.in[from], from+1)
}

// comment moves over /* … */, which PostgreSQL nests.
func (s *scanner) comment() error {
	from, depth := s.at, 0
	for s.at < len(s.in) {
		switch rest := s.in[s.at:]; {
		case strings.HasPrefix(rest, "/*") && (depth == 0 || s.dialect == postgres):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
			if depth == 0 {
				return nil
			}
		default:
			s.at++
		}
	}
	return fmt.Errorf("the /* at character %d is never closed", from+1)
}

// dollar moves over $tag$ … $tag$, or over a $ that begins none.
func (s *scanner) dollar() error {
	from := s.at
	s.at++
	for s.at < len(s.in) && isWord(s.in[s.at]) {
		s.at++
	}
	tag := s.in[from:s.at]
	if s.at == len(s.in) || s.in[s.at] != '$' || len(tag) > 1 && !isLetter(tag[1]) {
		s.at = from + 1
		return nil
	}
	s.at++
	tag += "$"
	i := strings.Index(s.in[s.at:], tag)
	if i < 0 {
		return fmt.Errorf("the %s at character %d is never closed", tag, from+1)
	}
	s.at += i + len(tag)
	return nil
}

func isBlank(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isWord(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

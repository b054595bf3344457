// Package jq makes rows of JSON by an expression of jq: objects, one a line, as
// package lines reads them. All sources that are given JSON share it.
package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/itchyny/gojq"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Query is a compiled expression. It is not safe for concurrent use.
type Query struct {
	code *gojq.Code
}

// Compile compiles an expression; "" is the identity. The expression sees
// neither the environment nor files. An error says where it is wrong.
func Compile(text string) (*Query, error) {
	if text == "" {
		text = "."
	}
	q, err := gojq.Parse(text)
	if err != nil {
		if p, ok := errors.AsType[*gojq.ParseError](err); ok {
			return nil, fmt.Errorf("query: at character %d: %w", p.Offset, err)
		}
		return nil, fmt.Errorf("query: %w", err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return &Query{code}, nil
}

// Validate returns what is wrong with the setting "query" beside the setting
// "format".
func Validate(text string, format lines.Format) []problem.Problem {
	var ps []problem.Problem
	if _, err := Compile(text); err != nil {
		ps = append(ps, problem.Problem{Path: "query", What: errors.Unwrap(err).Error(), Want: "an expression of jq, such as '.data[] | {time: .ts, temp: .value}'"})
	}
	if text != "" && format != lines.Auto && format != lines.JSON {
		ps = append(ps, problem.Problem{Path: "query", What: fmt.Sprintf("format %s has no use for it", format), Want: "format: json, or no query"})
	}
	return ps
}

// ErrNoJSON is what an error of Rows wraps if the text is no JSON.
var ErrNoJSON = errors.New("reading JSON")

var errRow = errors.New("a row is neither an object nor a number; see query")

// Rows runs the expression over the JSON values of body and calls yield with
// each row of the results, a list being rows: an object as it is; a number, or
// true or false, as the "value" of one. null is no row, and of anything else
// yield is told the error instead. An error of yield ends Rows and is returned,
// and so does what is wrong with body or comes up in the expression.
func (q *Query) Rows(ctx context.Context, body []byte, yield func(line []byte, err error) error) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	for {
		var v any
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: %w", ErrNoJSON, err)
		}
		results := q.code.RunWithContext(ctx, v)
		for {
			v, ok := results.Next()
			if !ok {
				break
			}
			if err, ok := v.(error); ok {
				return fmt.Errorf("query: %w", err)
			}
			list, isList := v.([]any)
			if !isList {
				list = []any{v}
			}
			for _, one := range list {
				if one == nil {
					continue
				}
				if err := yield(row(one)); err != nil {
					return err
				}
			}
		}
	}
}

// row writes a row as a line.
func row(v any) ([]byte, error) {
	switch v.(type) {
	case map[string]any:
	case int, float64, bool, *big.Int:
		v = map[string]any{"value": v}
	default:
		return nil, errRow
	}
	return gojq.Marshal(v)
}

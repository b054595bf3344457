package transform

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/problem"
)

// Error is what is wrong with an expression, and where.
type Error struct {
	// Pos is the place in the text as it was written, in bytes from its start.
	Pos int
	// What is wrong: `topk is not supported`.
	What string
	// Want says what would be right.
	Want string

	text string
}

// Error returns "column 5: what; want"; columns count characters from 1.
func (e *Error) Error() string { return e.Problem().Error() }

// Problem returns the error as a configuration says it.
func (e *Error) Problem() problem.Problem {
	pos := max(0, min(e.Pos, len(e.text)))
	before := e.text[:pos]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	where := fmt.Sprintf("column %d: ", column)
	if strings.Contains(strings.TrimSpace(e.text), "\n") {
		where = fmt.Sprintf("line %d, column %d: ", line+1, column)
	}
	return problem.Problem{What: where + e.What, Want: e.Want}
}

// Package problem is how a configured value says what is wrong with it, so
// that the configuration can add the file, line and column.
package problem

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong in a configured value.
type Problem struct {
	// Path leads from the value to the field, in YAML's names:
	// "series[0].metric". Empty means the value itself.
	Path string
	// What is wrong: "is negative".
	What string
	// Want says what would be right: "a duration of at least 50ms".
	Want string
}

// Error returns "path: what; want".
func (p Problem) Error() string {
	s := p.What
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Want != "" {
		s += "; " + p.Want
	}
	return s
}

// Validator is a configured value that can check itself. Validate returns
// every problem, not only the first; none means the value can be used.
type Validator interface {
	Validate() []Problem
}

// Under returns the problems of a part of a value as problems of the whole.
func Under(path string, ps []Problem) []Problem {
	out := slices.Clone(ps)
	for i := range out {
		switch {
		case out[i].Path == "":
			out[i].Path = path
		case strings.HasPrefix(out[i].Path, "["):
			out[i].Path = path + out[i].Path
		default:
			out[i].Path = path + "." + out[i].Path
		}
	}
	return out
}

// OneOf returns what to say when got is none of want: the nearest one if it
// looks like a slip of the pen, and the whole list.
func OneOf[T ~string](got T, want []T) string {
	list := make([]string, len(want))
	for i, w := range want {
		list[i] = string(w)
	}
	if near := Nearest(string(got), list); near != "" {
		return fmt.Sprintf("did you mean %q? It is one of: %s", near, strings.Join(list, ", "))
	}
	return "one of: " + strings.Join(list, ", ")
}

// maxNearest is how long a text may be that is compared, in bytes. Longer ones
// are no slips of the pen, and somebody else may have chosen how long.
const maxNearest = 128

// Nearest returns the candidate that got was probably meant to be, or "".
func Nearest(got string, candidates []string) string {
	best, limit := "", 1+len(got)/4
	if len(got) > maxNearest {
		return ""
	}
	for _, c := range candidates {
		if len(c) > 2*maxNearest {
			continue
		}
		if d := distance(strings.ToLower(got), strings.ToLower(c)); d <= limit && d < len(c) {
			best, limit = c, d-1
		}
	}
	return best
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours each count 1.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

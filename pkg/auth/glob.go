package auth

import (
	"fmt"
	"path"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
)

// globs are names of charts in which "*" stands for any text.
type globs []string

// match reports whether a chart's name fits one of them.
func (gs globs) match(chart string) bool {
	for _, g := range gs {
		if ok, err := path.Match(g, chart); ok && err == nil {
			return true
		}
	}
	return false
}

// maxGlob is how long one may be, in bytes: twice as long as a chart's name.
const maxGlob = 128

// isGlob reports whether s can match a chart's name.
func isGlob(s string) bool {
	return s != "" && len(s) <= maxGlob && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-*") == ""
}

// isName reports whether s can name a chart.
func isName(s string) bool { return isGlob(s) && len(s) <= maxGlob/2 && !strings.Contains(s, "*") }

// checkGlobs returns what is wrong with a list that is configured under path.
func checkGlobs(path string, gs []string) []problem.Problem {
	const want = `the name of a chart, or a part with "*" for the rest, as "rack-*"`
	var ps []problem.Problem
	for i, g := range gs {
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case g == "":
			ps = append(ps, problem.Problem{Path: at, What: "is empty", Want: want})
		case !isGlob(g):
			ps = append(ps, problem.Problem{Path: at, What: fmt.Sprintf("%.80q fits no chart", g), Want: want})
		}
	}
	return ps
}

package auth

import "path"

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

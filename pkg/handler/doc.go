// Package handler is how a chart answers callbacks without Go: the rows of
// `callbacks:` in YAML. A row says which callbacks it is for, by their argument
// or as `tick`, and what is done: the view is set, a webhook is asked, a script
// runs. The first row that fits decides; where none does, the chart's Go handler
// is asked.
//
// Rules are what YAML fills; an Engine turns those of a chart into a
// session.RefreshCallback, so that hooks, times and rights hold for rows as they
// do for Go. Each kind of row is one file or package and a line in kinds.go.
package handler

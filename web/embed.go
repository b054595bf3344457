// Package web holds what a browser loads: the custom element <chartd-chart>,
// the gallery and the page of one chart. The files are served as they stand;
// there is no build step.
package web

import (
	"embed"
	"io/fs"
)

// The pages among the files of Static.
const (
	// GalleryPage answers "/".
	GalleryPage = "index.html"
	// ChartPage answers "/c/{chart}"; it reads the chart's name and its
	// parameters from the address.
	ChartPage = "chart.html"
	// WallPage answers "/wall": several charts and nothing else.
	WallPage = "wall.html"
)

//go:embed static
var files embed.FS

// Static returns the files as they are to be served under "/": "chartd.js" is
// the entry, and imports its modules by relative paths. The result is
// read-only and safe for concurrent use.
func Static() fs.FS {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // "static" is a valid path
	}
	return static
}

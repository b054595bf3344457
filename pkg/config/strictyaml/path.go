package strictyaml

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// position is a place in the file, both counted from 1. A line below zero is no
// line: -1 is the first value that was laid over the file, -2 the second.
type position struct{ line, column int }

func positionOf(n *yaml.Node) position {
	if n.Line < 0 {
		return position{n.Line, n.Column} // of an overlay
	}
	return position{max(n.Line, 1), max(n.Column, 1)}
}

// join returns the path of a key under path.
func join(path, key string) string {
	switch {
	case !plainKey(key):
		return path + "[" + strconv.Quote(clip(key)) + "]"
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

// index returns the path of an item of a list at path.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// under returns the path of a problem whose own path counts from a value that
// stands at path.
func under(path, rest string) string {
	switch {
	case rest == "":
		return path
	case path == "" || rest[0] == '[':
		return path + rest
	default:
		return path + "." + rest
	}
}

// parent returns the path of the value that holds the one at path; the
// document's own path is empty.
func parent(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(0, strings.LastIndexByte(path, '['))]
	}
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}

// plainKey reports whether key can stand in a path without quotes.
func plainKey(key string) bool {
	for _, r := range key {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return key != "" && len(key) <= maxShown
}

// maxShown is how many bytes of somebody's text a message repeats.
const maxShown = 60

// clip shortens text for a message.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// quote writes text from the file into a message so that it cannot be taken
// for the message, nor move a terminal's cursor.
func quote(s string) string { return strconv.Quote(clip(s)) }

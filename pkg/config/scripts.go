package config

import (
	"path/filepath"

	"go.yaml.in/yaml/v4"

	"github.com/chartd/chartd/pkg/handler/script"
)

// ScriptFiles returns the files of the scripts that a configuration names, which
// is in the folder dir. It may be one that Parse refuses, as for a mistake in one
// of these files.
func ScriptFiles(dir string, data []byte) []string {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil {
		return nil
	}
	var out []string
	visits := 0
	var visit func(n *yaml.Node)
	visit = func(n *yaml.Node) {
		if visits++; visits > maxScriptVisits {
			return
		}
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "script" && child.Kind == yaml.ScalarNode {
				if path := child.Value; filepath.IsLocal(path) && !script.IsSource(path) && len(out) < maxScriptFiles {
					out = append(out, filepath.Join(dir, path))
				}
			}
			visit(child)
		}
	}
	visit(&doc) // an alias has no content of its own
	return out
}

// Bounds of what ScriptFiles looks at.
const (
	maxScriptVisits = 600_000
	maxScriptFiles  = 1000
)

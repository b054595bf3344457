// Package ways is one chart done three ways: a Go function, a webhook and a
// script answer its callbacks and its ticks alike.
package ways

import (
	"embed"
	"net/http"

	"github.com/chartd/chartd/pkg/daemon"
)

//go:embed chartd.yaml index.html page.js page.css
var files embed.FS

// New returns a daemon with the three charts and their page. hook answers for
// the second chart; it must be open as long as the daemon runs.
func New(hook *Hook, more ...daemon.Option) (*daemon.Daemon, error) {
	yaml, err := files.ReadFile("chartd.yaml")
	if err != nil {
		return nil, err
	}
	// The hook has another address and another secret each time.
	cfg, err := daemon.Parse(string(yaml), daemon.WithEnv(hook.lookup))
	if err != nil {
		return nil, err
	}
	page := http.FileServerFS(files)
	return daemon.New(cfg, append(more,
		daemon.WithCallback("go", refresh),
		daemon.WithPage("GET /{$}", page),
		daemon.WithPage("GET /page.js", page),
		daemon.WithPage("GET /page.css", page),
	)...)
}

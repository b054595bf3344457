package script

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
)

// maxSource bounds a script, in bytes.
const maxSource = 64 << 10

// Config is a script as a row of callbacks has it: a text in YAML. It is
// immutable once it is loaded.
type Config struct {
	given  string // as it was written
	name   string // in errors
	source string
	wrong  string // why there is no source
}

// Inline returns a script that is its own source.
func Inline(name, source string) *Config { return &Config{given: source, name: name, source: source} }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Config) UnmarshalText(b []byte) error {
	*c = Config{given: string(b)}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.given), nil }

// String returns the script as it was written.
func (c Config) String() string { return c.given }

// IsSource reports whether a text of the configuration is a script itself, and
// not the path of one: it has more than one line.
func IsSource(text string) bool { return strings.Contains(text, "\n") }

// Load finds the source of the script: the text itself, or the file of that name
// in dir or below. name is what a script without a file is called in errors. What
// is wrong with it is for Validate to say.
func (c *Config) Load(dir, name string) {
	if IsSource(c.given) {
		c.name, c.source = name, c.given
		return
	}
	c.name = filepath.ToSlash(c.given)
	source, err := Read(dir, c.given)
	if err != nil {
		c.wrong = err.Error()
		return
	}
	c.source = source
}

// Read returns the script in a file below dir, where links may not lead out of
// it either: who may write a configuration shall not be able to read whatever
// chartd can.
func Read(dir, path string) (source string, err error) {
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("the path %.80q leads out of the folder of the configuration file", path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", plain(err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(path)
	if err != nil {
		return "", plain(err)
	}
	if !info.Mode().IsRegular() { // a pipe might never begin
		return "", fmt.Errorf("%.80q is not a file", path)
	}
	f, err := root.Open(path)
	if err != nil {
		return "", plain(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return "", plain(err)
	}
	return string(data), nil
}

// plain says what is wrong with a file without the words of the system's call.
func plain(err error) error {
	_, why, ok := strings.Cut(err.Error(), ": ")
	if !ok {
		return err
	}
	return fmt.Errorf("the file cannot be read: %s", why)
}

// Validate returns what is wrong with the script. It compiles it, and runs what
// stands outside of its functions, under the limits of a callback.
func (c *Config) Validate() []problem.Problem {
	const want = `the path of a script, as "scripts/deploy.star", in the folder of the configuration file or below; or the script itself, with script: |`
	switch {
	case c.given == "":
		return []problem.Problem{{What: "is missing", Want: want}}
	case c.wrong != "":
		return []problem.Problem{{What: c.wrong, Want: want}}
	case c.source == "" && c.name == "":
		return []problem.Problem{{What: "has not been read", Want: want}}
	}
	if _, err := compile(c.name, c.source, defaultLimits()); err != nil {
		return []problem.Problem{{What: err.Error()}}
	}
	return nil
}

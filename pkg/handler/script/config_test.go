package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script is a file below the configuration's folder, or the text itself.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	within := filepath.Join(dir, "conf")
	if err := os.Mkdir(within, 0o700); err != nil {
		t.Fatal(err)
	}
	const good = "def callback(call):\n    pass\n"
	for _, path := range []string{filepath.Join(dir, "out.star"), filepath.Join(within, "in.star")} {
		if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"within.star": "in.star", "leaves.star": "../out.star"} {
		if err := os.Symlink(to, filepath.Join(within, link)); err != nil {
			t.Fatal(err)
		}
	}
	for given, want := range map[string]string{
		"in.star":                           "",
		"./in.star":                         "",
		"within.star":                       "",
		good:                                "",
		"":                                  "is missing",
		"none.star":                         "the file cannot be read: ",
		"../out.star":                       "leads out of the folder",
		filepath.Join(dir, "out.star"):      "leads out of the folder",
		"leaves.star":                       "the file cannot be read: ",
		".":                                 `"." is not a file`,
		"def callback(call):\n    nope()\n": "a.script:2:5: undefined: nope",
	} {
		var c Config
		if err := c.UnmarshalText([]byte(given)); err != nil {
			t.Fatal(err)
		}
		c.Load(within, "a.script")
		ps := c.Validate()
		if want == "" && len(ps) > 0 || want != "" && (len(ps) != 1 || !strings.Contains(ps[0].What, want)) {
			t.Errorf("%q: %v, want %s", given, ps, want)
		}
	}
}

// Freeze would never end, or end the program, with these globals.
func TestFreezable(t *testing.T) {
	b := newBench(t)
	for _, source := range []string{
		"def outer():\n    def inner():\n        return inner\n    return inner\ng = outer()\n",
		"def grow():\n    x = (0,)\n    for i in range(60):\n        x = (x, x)\n    return x\ng = grow()\n",
		"def grow():\n    x = (0,)\n    for i in range(60):\n        x = (x, x)\n    return lambda: x\ng = grow()\n",
		"def grow():\n    x = []\n    for i in range(1000):\n        x = [x]\n    return x\ng = grow()\n",
	} {
		if _, err := b.do(source+body("pass"), defaultLimits()); err == nil || !strings.Contains(err.Error(), "s.star: the global ") {
			t.Errorf("%s\n%v", source, err)
		}
	}
}

package script

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/session"
)

// greedy are ways to want too much, as the body of callback. Each has to end by
// its steps or its memory.
func greedy() map[string]string {
	const loop = "for i in range(1000000000):\n    "
	return map[string]string{
		"loops":           loop + "pass",
		"loops in loops":  loop + "for j in range(1000000000):\n        pass",
		"repeats text":    `x = "a" * 1000000000`,
		"repeats bytes":   `x = b"a" * 1000000000`,
		"repeats list":    `x = [0] * 1000000000`,
		"repeats tuple":   `x = 100000000000 * (0,)`,
		"doubles text":    "x = \"a\"\n" + loop + "x = x + x",
		"grows text":      "x = \"a\"\n" + loop + "x += x",
		"crawls text":     "x = \"\"\n" + loop + "x += \"0123456789\"",
		"doubles list":    "x = [0]\n" + loop + "x = x + x",
		"extends itself":  "x = [0]\n" + loop + "x.extend(x)",
		"adds itself":     "x = [0]\n" + loop + "x += x",
		"appends":         "x = []\n" + loop + "x.append(i)",
		"appends floats":  "x = []\n" + loop + "x.append(i * 1.5)",
		"appends lists":   "x = []\n" + loop + "x.append([i])",
		"appends dicts":   "x = []\n" + loop + "x.append({})",
		"lists of lists":  "x = []\n" + loop + "x = [x, [], [], [], [], [], [], []]",
		"dicts of dicts":  "x = {}\n" + loop + "x = {1: x, 2: {}, 3: {}, 4: {}, 5: {}}",
		"tuples":          "x = ()\n" + loop + "x = (x, (), (), (), (), (), (), ())",
		"fills dict":      "x = {}\n" + loop + "x[i] = i",
		"fills by text":   "x = {}\n" + loop + "x[str(i)] = i",
		"collides once":   "x = dict([(i << 40, 0) for i in range(20000)])\n" + loop + "pass",
		"closures":        "def f(a, b, c, d):\n    return lambda: (a, b, c, d)\nx = []\n" + loop + "x.append(f(1, 2, 3, 4))",
		"wide closures":   "def f():\n    " + many(300, "v%d = 0") + "\n    return lambda: (" + strings.TrimSuffix(strings.ReplaceAll(many(300, "v%d"), ";", ","), ",") + ")\nx = []\n" + loop + "x.append(f())",
		"methods":         "x = []\n" + loop + "x += [x.append, x.append]",
		"squares":         "x = 3\n" + loop + "x = x * x",
		"shifts":          "x = 1\n" + loop + "x = x << 511",
		"shifts at once":  "x = 1 << 1000000000",
		"large ints":      "x = []\ny = 1 << 511\n" + loop + "x.append(-y)",
		"reads int":       `x = int("9" * 1000000)`,
		"list of range":   "x = list(range(1000000000))",
		"tuple of range":  "x = tuple(range(1000000000))",
		"sorted range":    "x = sorted(range(1000000000))",
		"max of range":    "x = max(range(1000000000))",
		"all of range":    "x = all(range(1, 1000000000))",
		"any of range":    "x = any([range(0)] * 100000000)",
		"zip":             "x = zip(range(1000000000), range(1000000000))",
		"enumerate":       "x = enumerate(range(1000000000))",
		"reversed":        "x = reversed(range(1000000000))",
		"star":            "def f(*a):\n    return a\nx = f(*range(1000000000))",
		"star dict":       "def f(**a):\n    return a\nx = []\ny = {str(i): i for i in range(1000)}\n" + loop + "x.append(f(**y))",
		"extend range":    "x = []\nx.extend(range(1000000000))",
		"add range":       "x = []\nx += range(1000000000)",
		"comprehension":   "x = [i for i in range(1000000000)]",
		"comprehends":     "x = {i: [i] for i in range(1000000000)}",
		"slices":          "x = [0] * 60000\ny = []\n" + loop + "y.append(x[:])",
		"steps":           "x = \"a\" * 60000\ny = []\n" + loop + "y.append(x[::-1])",
		"splits":          "x = \"a,\" * 400000\ny = []\n" + loop + "y.append(x.split(\",\"))",
		"fields":          "x = \"a \" * 400000\ny = []\n" + loop + "y.append(x.split())",
		"lines":           "x = \"\\n\" * 900000\ny = []\n" + loop + "y.append(x.splitlines())",
		"elems":           "x = \"a\" * 60000\ny = []\n" + loop + "y.append(list(x.elems()))",
		"code points":     "x = \"a\" * 60000\ny = []\n" + loop + "y.append(list(x.codepoints()))",
		"joins":           "x = [\"a\" * 1000] * 1000\ny = (\"b\" * 100000).join(x)",
		"replaces":        "x = \"a\" * 100000\ny = x.replace(\"a\", x)",
		"replaces empty":  "x = \"a\" * 100000\ny = x.replace(\"\", x)",
		"formats":         "x = \"{0}\" * 10000\ny = x.format(\"a\" * 100000)",
		"percent":         "x = \"%(a)s\" * 10000\ny = x % {\"a\": \"b\" * 100000}",
		"upper":           "x = \"ŉ\" * 100000\ny = []\n" + loop + "y.append(x.upper())",
		"reprs":           "x = [0]\nfor i in range(60):\n    x = [x, x]\ny = repr(x)",
		"prints":          "x = [0]\nfor i in range(60):\n    x = [x, x]\nprint(x)",
		"fails":           "x = [0]\nfor i in range(60):\n    x = [x, x]\nfail(x)",
		"compares":        "x = [0] * 100\nfor i in range(8):\n    x = [x] * 100\ny = [0] * 100\nfor i in range(8):\n    y = [y] * 100\nz = x == y",
		"looks in":        "x = [0] * 100\nfor i in range(8):\n    x = [x] * 100\ny = [0] * 100\nfor i in range(9):\n    y = [y] * 100\nz = x in y",
		"hashes":          "x = (0,)\nfor i in range(60):\n    x = (x, x)\ny = {x: 1}",
		"looks up":        "x = (0,)\nfor i in range(60):\n    x = (x, x)\ny = {}\ny[x] = 1",
		"looks up once":   "x = (0,)\nfor i in range(60):\n    x = (x, x)\ny = {}\ny.get(x)",
		"comprehends key": "x = (0,)\nfor i in range(60):\n    x = (x, x)\ny = {x: i for i in range(1)}",
		"augments key":    "x = (0,)\nfor i in range(60):\n    x = (x, x)\ny = {}\ny[x] += 1",
		"encodes":         "x = [0]\nfor i in range(60):\n    x = [x, x]\ny = json.encode(x)",
		"replies":         "x = [0]\nfor i in range(60):\n    x = [x, x]\nreply(x)",
		"decodes":         "x = \"[\" + \"{},\" * 200000 + \"0]\"\ny = []\n" + loop + "y.append(json.decode(x))",
		"items":           "x = {i: i for i in range(5000)}\ny = []\n" + loop + "y.append(x.items())",
		"updates":         "x = {}\n" + loop + "x.update([(i, i)])",
		"unites":          "x = {0: 0}\n" + loop + "x = x | {i: i}",
		"inserts":         "x = []\n" + loop + "x.insert(0, i)",
		"pops":            "x = [0] * 60000\n" + loop + "x.append(x.pop(0))",
		"deep":            "x = []\n" + loop + "x = [x]",
		"deep repr":       "x = []\nfor i in range(1000):\n    x = [x]\ny = str(x)",
		"views":           "x = []\n" + loop + "x.append(session.id)",
	}
}

// many joins n statements.
func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%d", string(rune('a'+i/26%26))+string(rune('a'+i%26))+string(rune('a'+i/676))) + "; ")
	}
	return strings.TrimSpace(b.String())
}

// Whatever a script does, it ends, and makes less than maxMade bytes on its way.
func TestGreedy(t *testing.T) {
	const maxMade = 96 << 20
	b := newBench(t)
	worst, where := uint64(0), ""
	for name, lines := range greedy() {
		t.Run(name, func(t *testing.T) {
			prog, err := compile("s.star", body(lines), defaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, steps, failed := prog.run(t.Context(), b.Pool, &session.Call{})
			runtime.ReadMemStats(&after)
			made := after.TotalAlloc - before.TotalAlloc
			if os.Getenv("CHARTD_SHOW") != "" {
				t.Logf("%d KiB made, %d steps, %v", made>>10, steps, failed)
			}
			if made > worst {
				worst, where = made, name
			}
			if made > maxMade {
				t.Errorf("made %d MiB", made>>20)
			}
			if failed == nil {
				t.Fatal("it may do that")
			}
			switch failed.outcome {
			case outcomeSteps, outcomeMemory:
			default:
				if name != "deep repr" && name != "reads int" {
					t.Errorf("%s: %v", failed.outcome, failed)
				}
			}
			if !strings.HasPrefix(failed.text, "s.star:") || !errors.Is(error(failed), failed.cause) && failed.cause != nil {
				t.Errorf("no place: %v", failed)
			}
		})
	}
	t.Logf("the worst made %d MiB: %s", worst>>20, where)
}

// Keys that all have one hash make a dict slow. A run that falls for that ends
// with its context, since no single operation is long.
func TestCollisions(t *testing.T) {
	b := newBench(t)
	prog, err := compile("s.star", body("x = {}\nfor i in range(1000000000):\n    x[i << 40] = i"), defaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, failed := prog.run(ctx, b.Pool, &session.Call{}); failed == nil || failed.outcome != outcomeTimeout {
		t.Errorf("%v", failed)
	}
}

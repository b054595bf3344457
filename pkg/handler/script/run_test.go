package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.starlark.net/starlark"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// bench is a pool and its log.
type bench struct {
	*Pool
	t    testing.TB
	logs *observer.ObservedLogs
}

func newBench(t testing.TB) *bench {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	p, err := NewPool(store.New(store.DefaultConfig(), nil), zap.New(core), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &bench{p, t, logs}
}

// body returns a script whose callback has these lines.
func body(lines string) string {
	return "def callback(call):\n    " + strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\n    ") + "\n"
}

// do compiles and runs a script once, for a callback that has nothing to it.
func (b *bench) do(source string, l limits) (steps uint64, err error) {
	b.t.Helper()
	prog, err := compile("s.star", source, l)
	if err != nil {
		return 0, err
	}
	_, steps, failed := prog.run(b.t.Context(), b.Pool, &session.Call{})
	if failed != nil {
		return steps, failed
	}
	return steps, nil
}

// What a rewritten script means is what Starlark says it means.
func TestMeaning(t *testing.T) {
	b := newBench(t)
	for _, lines := range []string{
		`x = [1]; y = x; y += [2, 3]; same(x, [1, 2, 3])`,
		`x = (1,); y = x; y += (2,); same(x, (1,)); same(y, (1, 2))`,
		`x = {"a": 1}; y = x; y |= {"b": 2}; same(x, {"a": 1, "b": 2})`,
		`x = {"a": 1}; x["a"] += 4; x["a"] *= 3; same(x["a"], 15)`,
		`x = [1, [2]]; x[-1] += (3,); same(x, [1, [2, 3]])`,
		"n = [0]\ndef once():\n    n[0] += 1\n    return 0\nx = [10]\nx[once()] += 1\nsame(n, [1]); same(x, [11])",
		`x = 7; x //= 2; same(x, 3); x <<= 4; same(x, 48); x |= 1; x &= 33; x ^= 2; x %= 20; same(x, 15); x -= 5; x >>= 1; same(x, 5); x *= 2; same(x, 10); x /= 4; same(x, 2.5)`,
		`same("a" * 3 + "b", "aaab"); same(2 * [1], [1, 1]); same("%s is %d%%" % ("x", 3), "x is 3%"); same("%(a)s" % {"a": 1}, "1")`,
		`same("a,b".split(","), ["a", "b"]); same("-".join(["a", "b"]), "a-b"); same("aXa".replace("a", "b"), "bXb"); same("{}{x}".format(1, x=2), "12")`,
		`same([1, 2, 3, 4][1:3], [2, 3]); same("abcd"[::-1], "dcba"); same((1, 2, 3)[::2], (1, 3))`,
		`same([x * 2 for x in range(4) if x % 2], [2, 6]); same({k: v for k, v in [("a", 1)]}, {"a": 1})`,
		"def f(a, b=2, *c, **d):\n    return (a, b, c, d)\nsame(f(*[1, 2, 3], **{\"x\": 4}), (1, 2, (3,), {\"x\": 4})); same(f(1), (1, 2, (), {}))",
		`f = lambda x: (lambda y: x + y); same(f(1)(2), 3); g = "abc".upper; same(g(), "ABC")`,
		`same(1 in [1], True); same(2 not in {2: 0}, False); same(5 in range(10000000000), True); same("b" in "abc", True)`,
		`same(1 < 2 and "a" < "b" or False, True); same([1] == [1], True); same(None == 0, False); same(not 1 != 1, True)`,
		`same(sorted([3, 1, 2], key=lambda x: -x), [3, 2, 1]); same(max([1, 5, 2]), 5); same(list(zip([1], [2])), [(1, 2)]); same(list(enumerate(["a"])), [(0, "a")])`,
		`same(getattr("a", "upper")(), "A"); same(hasattr("a", "nope"), False); same(getattr("a", "nope", 3), 3)`,
		`same(math.floor(2.5), 2); same(math.sqrt(16), 4.0); same(json.decode(json.encode({"a": [1, 2.5, None, True, "ü<"]})), {"a": [1, 2.5, None, True, "ü<"]})`,
		`same(json.encode({"b": (1, 2), "a": range(2)}), '{"a":[0,1],"b":[1,2]}'); same(json.decode("12345678901234567890123"), 12345678901234567890123)`,
		`a, (b, c) = 1, [2, 3]; same(a + b + c, 6); x = [0, 0]; x[0], x[1] = 4, 5; same(x, [4, 5])`,
		`d = {}; d.setdefault("a", []).append(1); d.update(b=2); same(d.items(), [("a", [1]), ("b", 2)]); same(d.pop("b"), 2); same(d.get("z", 9), 9)`,
		`l = [1]; l.extend(range(3)); l.insert(0, 9); l.remove(1); same(l.pop(), 2); same(l, [9, 0, 1]); same(l.index(0), 1)`,
		`same(int("12"), 12); same(str([1, "a"]), '[1, "a"]'); same(type(now()), "int"); same(bool([]), False); same(len("abc"), 3)`,
		`same(b"ab" + b"c", b"abc"); same("ab".elems()[1], "b"); same([c for c in "äb".codepoints()], ["ä", "b"])`,
		`x = 1 if True else fail("no"); same(x, 1); same(-(-x), 1); same(~1, -2); same((1 << 100) * 3 > 1 << 101, True)`,
	} {
		source := "def same(got, want):\n    if got != want:\n        fail(\"got \" + repr(got) + \", want \" + repr(want))\n" + body(lines)
		if _, err := b.do(source, defaultLimits()); err != nil {
			t.Errorf("%s\n%v", lines, err)
		}
	}
}

// Errors say where and what.
func TestErrors(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ source, want string }{
		{"def callback(call)\n", "s.star:2:1: got newline, want ':'"},
		{"def callback(call):\n  nope()\n", "s.star:2:3: undefined: nope"},
		{"x = 1\n", "s.star: there is no function callback; write def callback(call):"},
		{"callback = 1\n", "s.star: there is no function callback"},
		{"def callback():\n  pass\n", "s.star:1:1: callback takes one parameter"},
		{"load('a.star', 'b')\n", "s.star:1:1: there is no load here"},
		{"def callback(call):\n  x = {1 for y in []}\n", "s.star:2:13: got for, want ':'"},
		{"x = set([1])\ndef callback(call):\n  pass\n", "s.star:1:8: set is there while a callback runs"},
		{"while True:\n  pass\n", "s.star:1:1: this Starlark dialect does not support while loops"},
		{"x = 1 // 0\ndef callback(call):\n  pass\n", "s.star:1:7: floored division by zero"},
		{"reply(1)\ndef callback(call):\n  pass\n", "s.star:1:6: reply is there while a callback runs: write it in callback(call)"},
		{"x = view.window\ndef callback(call):\n  pass\n", "s.star:1:10: view is there while a callback runs"},
		{body(`x = "a" + 1`), "s.star:2:13: unknown binary op: string + int"},
		{body(`x = []; x[0] += 1`), "s.star:2:18: list index 0 is out of range"},
		{body(`x = {}; x["a"] += 1`), `s.star:2:20: there is no key "a" in this dict`},
		{body(`[1].push(2)`), "s.star:2:13: list has no .push; "},
		{body(`None.x`), "s.star:2:10: NoneType has no .x"},
		{body(`1()`), "s.star:2:6: invalid call of non-function (int)"},
		{body(`fail("because", 1)`), "s.star:2:9: fail: because 1"},
		{body(`return 5`), "s.star:1:1: callback returned a int; want None, or False"},
		{body(`call.nope`), "s.star:2:10: call has no .nope; "},
		{body(`view.widnow`), `did you mean "window"?`},
		{body(`call.arg = 1`), "s.star:2:9: can't assign to .arg field of call"},
		{body(`json.encode(float("nan"))`), "s.star:2:16: json: NaN has no JSON"},
		{body(`json.encode(callback)`), "a function has no JSON"},
		{body(`json.decode("[1,]")`), "s.star:2:16: json: invalid character"},
		{body(`json.decode("[1] 2")`), "something follows"},
		{body(`json.decode("[" * 200 + "]" * 200)`), "more than 100 deep"},
		{body(`series("m", since="soon")`), `s.star:2:11: series: since: "soon" is not a duration`},
		{body(`series("m", limit=0)`), "limit: 0; want 1 to 20000"},
		{body(`series("m", labels={"a": []})`), "labels: a: a list, where a text is wanted"},
		{body(`series("m", labels={"a": "=~("})`), "series: labels: "},
		{body(`append("m", "x")`), "append: value: a string, where a number is wanted"},
		{body(`append("m", 1, t="x")`), `append: "x" is no time; want ms since 1970`},
		{body(`append("m", 1, t=1<<70)`), `append: 1180591620717411303424 is no time; want ms since 1970`},
		{body(`append()`), "append: missing argument for metric"},
		{body(`set("15m")`), `set: takes names, as set(window="15m")`},
		{body(`set(widnow="1m")`), `set: there is no "widnow"; did you mean "window"?`},
		{body(`set(window="soon")`), `set: window: "soon" is not a duration`},
		{body(`set(title=5)`), `set: title: a JSON number, where a text is wanted`},
		{body(`set(range=5)`), "set: range: want (from, to)"},
		{body(`set(marks=[{"tt": 1}])`), `set: marks: the field "tt" is not known`},
		{body(`reply(float("inf"))`), "reply: json: +Inf has no JSON"},
		{body(`annotate("x", t=1e300)`), "is no time"},
		{strings.Repeat("#", maxSource+1), "s.star: a script of more than 65536 bytes"},
		{"\xff", "s.star: not UTF-8"},
	} {
		_, err := b.do(c.source, defaultLimits())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s\n%v, want %s", c.source, err, c.want)
		}
	}
}

// The trace for the log has the way that led there.
func TestTrace(t *testing.T) {
	b := newBench(t)
	_, err := b.do("def f(x):\n    return x.split(1)\ndef callback(call):\n    f(\"a\")\n", defaultLimits())
	f, ok := errors.AsType[*failure](err)
	if !ok || !strings.HasPrefix(f.text, "s.star:2:19: split: ") {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"s.star:4:6: in callback", "s.star:2:19: in f"} {
		if !strings.Contains(f.trace, want) {
			t.Errorf("the trace has no %s:\n%s", want, f.trace)
		}
	}
}

// A panic in a function for scripts is an error with a place.
func TestPanic(t *testing.T) {
	b := newBench(t)
	prog, err := compile("s.star", body(`boom()`), limits{steps: 1e6, memory: 1 << 20, value: 1 << 20})
	if err == nil || prog != nil {
		t.Fatal("there is a boom")
	}
	// The store is not there: reading it panics.
	b.store = nil
	_, err = b.do(body("x = 1\nseries(\"m\")"), defaultLimits())
	f, ok := errors.AsType[*failure](err)
	if !ok || f.outcome != outcomePanicked || !strings.HasPrefix(f.text, "s.star:3:11: chartd panicked: ") || !strings.Contains(f.trace, "goroutine") {
		t.Errorf("%+v", err)
	}
}

// Every function that Starlark has is one of ours, or is not there.
func TestUniverse(t *testing.T) {
	ours := predeclared()
	for name, v := range starlark.Universe {
		got, there := ours[name]
		if _, builtin := v.(*starlark.Builtin); !there || builtin && got == v {
			t.Errorf("%s has no price", name)
		}
	}
}

// A thread ends when its context does, wherever it is.
func TestCancel(t *testing.T) {
	b := newBench(t)
	prog, err := compile("s.star", body("for i in range(1000000000):\n    for j in range(1000000000):\n        pass"), limits{steps: 1 << 62, memory: 1 << 20, value: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	f := prog.callback(b.Pool, "one", "x")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx, &session.Call{}) }()
	// It runs when it has a slot.
	for len(b.slots) == 0 {
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	select {
	case err := <-done:
		if err == nil || !strings.HasPrefix(err.Error(), "s.star:") || !strings.Contains(err.Error(), "its time is over") {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
	if n := testutil.ToFloat64(b.metrics.runs.WithLabelValues("one", "x", outcomeTimeout)); n != 1 {
		t.Errorf("%v are counted", n)
	}
}

// Scripts wait for a slot no longer than they may.
func TestBusy(t *testing.T) {
	b := newBench(t)
	for range cap(b.slots) {
		b.slots <- struct{}{}
	}
	prog, err := compile("s.star", body("pass"), defaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := prog.callback(b.Pool, "one", "x")(ctx, &session.Call{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if n := testutil.ToFloat64(b.metrics.runs.WithLabelValues("one", "x", outcomeBusy)); n != 1 {
		t.Errorf("%v are counted", n)
	}
}

// Many threads run one program; its globals are frozen.
func TestAtOnce(t *testing.T) {
	b := newBench(t)
	prog, err := compile("s.star", "seen = []\ntable = {i: [i] for i in range(100)}\n"+body("for i in range(100):\n    if table[i] != [i]:\n        fail()"), defaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 8 {
		go func() {
			var err error
			for range 20 {
				if _, _, f := prog.run(t.Context(), b.Pool, &session.Call{}); f != nil {
					err = f
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	_, err = b.do("seen = []\n"+body("seen.append(1)"), defaultLimits())
	if err == nil || !strings.Contains(err.Error(), "cannot append to frozen list") {
		t.Error(err)
	}
}

// What a script prints is logged, though not all of it.
func TestPrint(t *testing.T) {
	b := newBench(t)
	if _, err := b.do(body("print(\"a\", 1)\nfor i in range(200):\n    print(\"x\" * 5000)"), defaultLimits()); err != nil {
		t.Fatal(err)
	}
	lines := b.logs.FilterLevelExact(zap.InfoLevel).All()
	if len(lines) != 20 || lines[0].Message != "a 1" || len(lines[1].Message) > maxMessage+10 {
		t.Errorf("%d lines, the first %q", len(lines), fmt.Sprint(lines[0]))
	}
}

package script

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/session"
)

// Whatever somebody writes as a script is refused, or ends within its bounds.
func FuzzScript(f *testing.F) {
	for _, lines := range greedy() {
		f.Add(body(lines))
	}
	f.Add("def outer():\n    def inner():\n        return inner\n    return inner\ng = outer()\ndef callback(call):\n    pass\n")
	f.Add("def callback(call):\n    x = [i for i in range(9)][::2]; x[0] += 1; print(x, call, view)\n")
	small := limits{steps: 20_000, memory: 1 << 20, value: 64 << 10}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, source string) {
		prog, err := compile("s.star", source, small)
		if err != nil {
			if _, ok := errors.AsType[*failure](err); !ok {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, failed := prog.run(ctx, b.Pool, &session.Call{}); failed != nil && failed.text == "" {
			t.Errorf("no text: %+v", failed)
		}
	})
}

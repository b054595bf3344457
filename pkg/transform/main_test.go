package transform_test

import (
	"math"
	"testing"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// put appends values a second apart, from a second of the tests' time on; NaN
// is written as it stands.
func put(t testing.TB, st *store.Store, metric string, labels map[string]string, second int64, values ...float64) {
	t.Helper()
	for i, v := range values {
		if err := st.Append(metric, store.LabelsOf(labels), start+(second+int64(i))*1000, v); err != nil {
			t.Fatal(err)
		}
	}
}

// begin returns a transform of an expression that has followed once.
func begin(t testing.TB, st *store.Store, text string) *transform.Transform {
	t.Helper()
	e, err := transform.Compile(text, transform.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	tr := transform.New(e, st, 64)
	t.Cleanup(tr.Close)
	follow(t, tr)
	return tr
}

func follow(t testing.TB, tr *transform.Transform) []*store.Series {
	t.Helper()
	series, err := tr.Series()
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Follow(start, math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	return series
}

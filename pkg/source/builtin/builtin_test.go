package builtin_test

import (
	"slices"
	"testing"

	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
)

func TestKinds(t *testing.T) {
	kinds := builtin.Kinds()
	if want := []string{"exec", "file", "host", "http", "influx", "prometheus", "push", "remote_write", "scrape"}; !slices.Equal(kinds.Kinds(), want) {
		t.Errorf("got %q, want %q", kinds.Kinds(), want)
	}
	for kind := range kinds {
		cfg, err := kinds.New(kind)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Kind() != kind {
			t.Errorf("%s calls itself %s", kind, cfg.Kind())
		}
		for _, p := range cfg.Validate() {
			if p.What != "is missing" {
				t.Errorf("the defaults of %s are invalid: %v", kind, p)
			}
		}
		if again, _ := kinds.New(kind); again == cfg {
			t.Errorf("two sources of kind %s would share a configuration", kind)
		}
		src, err := cfg.New(source.Deps{Name: kind, Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(int, error) {}})
		if err != nil || src == nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

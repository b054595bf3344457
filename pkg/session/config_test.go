package session

import (
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/problem"
)

func texts(ps []problem.Problem) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Error())
	}
	return strings.Join(out, "\n")
}

func TestConfigValidate(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Errorf("the defaults: %v", ps)
	}
	equal(t, texts(Config{TTL: -1, MaxCallbacksWaiting: -1}.Validate()), `max_sessions: is 0; at least 1
max_sessions_per_address: is 0; at least 1
max_views: is 0; at least 1
max_subscriptions: is 0; at least 1
messages_per_second: is 0; at least 1
new_views_per_minute: is 0; at least 1
callbacks_per_second: is 0; at least 1
max_callbacks_waiting: is -1; at least 0
ttl: is -1ns; 0 to 1d
callback_timeout: is 0; 10ms to 10m
hello_timeout: is 0; 100ms to 10m
max_queue: is 0; 4KiB to 1GiB`)
}

func TestChartConfigValidate(t *testing.T) {
	if ps := DefaultChartConfig().Validate(); len(ps) > 0 {
		t.Errorf("the defaults: %v", ps)
	}
	equal(t, texts(ChartConfig{Scope: "share"}.Validate()), `scope: no scope "share"; did you mean "shared"? It is one of: view, shared`)
}

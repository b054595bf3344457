package otlp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/otlp"
	"github.com/chartd/chartd/pkg/store"
)

// A gauge, as OTLP writes it in JSON.
func Example() {
	kept := store.New(store.DefaultConfig(), nil)
	manager := source.NewManager(kept, zap.NewNop(), nil)
	if err := manager.Apply(map[string]source.Config{"otlp": otlp.DefaultConfig()}); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	var running sync.WaitGroup
	running.Go(func() { _ = manager.Run(ctx) })
	defer running.Wait()
	defer cancel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := manager.Route(r); ok {
			h.ServeHTTP(w, r)
		}
	}))
	defer srv.Close()

	body := fmt.Sprintf(`{"resourceMetrics": [{
		"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "lab"}}]},
		"scopeMetrics": [{"metrics": [{"name": "room.temperature", "gauge": {"dataPoints": [{
			"timeUnixNano": "%d", "asDouble": 21.5, "attributes": [{"key": "room", "value": {"stringValue": "a"}}]
		}]}}]}]
	}]}`, time.Now().UnixNano())
	for status := http.StatusServiceUnavailable; status == http.StatusServiceUnavailable && ctx.Err() == nil; { // until it runs
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+otlp.Path, strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := srv.Client().Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	for _, sr := range kept.Select("room.temperature", nil) {
		last, _ := sr.Last()
		fmt.Println(sr, last.V)
	}
	// Output:
	// room.temperature{room="a", service.name="lab"} 21.5
}

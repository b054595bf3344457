package remotewrite_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/remotewrite"
	"github.com/chartd/chartd/pkg/store"
)

// A write of one sample, by the client that the Prometheus project publishes.
func Example() {
	kept := store.New(store.DefaultConfig(), nil)
	manager := source.NewManager(kept, zap.NewNop(), nil)
	if err := manager.Apply(map[string]source.Config{"remote_write": remotewrite.DefaultConfig()}); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
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

	api, err := remote.NewAPI(srv.URL, remote.WithAPIHTTPClient(srv.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	symbols := writev2.NewSymbolTable()
	series := &writev2.TimeSeries{Samples: []*writev2.Sample{{Value: 21.5, Timestamp: time.Now().UnixMilli()}}}
	for _, text := range []string{"__name__", "temp", "room", "lab"} {
		series.LabelsRefs = append(series.LabelsRefs, symbols.Symbolize(text))
	}
	written, err := api.Write(ctx, remote.WriteV2MessageType, &writev2.Request{Symbols: symbols.Symbols(), Timeseries: []*writev2.TimeSeries{series}})
	fmt.Println(written.Samples, err)
	for _, sr := range kept.Select("temp", nil) {
		last, _ := sr.Last()
		fmt.Println(sr, last.V)
	}
	// Output:
	// 1 <nil>
	// temp{room="lab"} 21.5
}

package statsd_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/statsd"
	"github.com/chartd/chartd/pkg/store"
)

// A gauge, sent as any client does.
func Example() {
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	address := free.LocalAddr().String()
	_ = free.Close() // for chartd

	cfg := statsd.DefaultConfig()
	cfg.Address, cfg.FlushInterval = address, quantity.Duration(100*time.Millisecond)
	kept := store.New(store.DefaultConfig(), nil)
	manager := source.NewManager(kept, zap.NewNop(), nil)
	if err := manager.Apply(map[string]source.Config{"statsd": cfg}); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	var running sync.WaitGroup
	running.Go(func() { _ = manager.Run(ctx) })
	defer running.Wait()
	defer cancel()

	client, err := (&net.Dialer{}).DialContext(ctx, "udp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	for ctx.Err() == nil && len(kept.Select("temp", nil)) == 0 {
		_, _ = client.Write([]byte("temp:21.5|g|#room:lab")) // lost until chartd listens
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	for _, sr := range kept.Select("temp", nil) {
		last, _ := sr.Last()
		fmt.Println(sr, last.V)
	}
	// Output:
	// temp{room="lab"} 21.5
}

package nats_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/nats"
	"github.com/chartd/chartd/pkg/store"
)

// printer shows what a source brings, and stops it after as many samples.
type printer struct {
	left int
	stop func()
}

func (p *printer) Append(metric string, labels store.Labels, _ int64, v float64) error {
	fmt.Printf("%s%s %v\n", metric, labels, v)
	if p.left--; p.left == 0 {
		p.stop()
	}
	return nil
}

// A stream that was there before: a token of the subject is a label, another one
// the metric.
func Example() {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, JetStream: true, StoreDir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Start()
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	if !srv.ReadyForConnections(10 * time.Second) {
		fmt.Println("the server does not become ready")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	publish(ctx, srv.ClientURL())

	cfg := nats.DefaultConfig()
	cfg.Servers, cfg.JetStream.Stream = []secret.URL{secret.URL(srv.ClientURL())}, "PLANT"
	cfg.Subjects = []string{"plant.{room}.{metric}"}
	src, err := cfg.New(source.Deps{Name: "bus", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := src.Run(ctx, &printer{2, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// temp{room="kitchen"} 21.5
	// door{room="hall"} 1
}

// publish stores two messages.
func publish(ctx context.Context, url string) {
	conn, err := client.Connect(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "PLANT", Subjects: []string{"plant.>"}}); err != nil {
		fmt.Println(err)
	}
	for _, m := range [][2]string{{"plant.kitchen.temp", "21.5"}, {"plant.hall.door", "on"}} {
		if _, err := js.Publish(ctx, m[0], []byte(m[1])); err != nil {
			fmt.Println(err)
		}
	}
}

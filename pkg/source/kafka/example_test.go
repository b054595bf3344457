package kafka_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/kafka"
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

// A topic of readings whose key is the sensor.
func Example() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "readings"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer producer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &kgo.Record{Topic: "readings", Key: []byte("kitchen"), Value: []byte(`{"temp": 21.5}`)}
	if err := producer.ProduceSync(ctx, r).FirstErr(); err != nil {
		fmt.Println(err)
		return
	}

	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Topics = cluster.ListenAddrs(), []string{"readings"}
	cfg.RecordLabels = map[string]string{"sensor": "key"}
	src, err := cfg.New(source.Deps{Name: "plant", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := src.Run(ctx, &printer{1, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// plant_temp{sensor="kitchen", topic="readings"} 21.5
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	// maxFetch and maxFetches bound what brokers send ahead, in bytes and in
	// answers; maxWait is how long a broker without news keeps a question.
	maxFetch   = 4 << 20
	maxFetches = 8
	maxWait    = time.Second
	// maxPatience bounds how long the brokers are asked, one after the other.
	maxPatience = time.Minute
)

// open returns a client that reads nothing yet. It connects in the background.
func (s *Source) open(start kgo.Offset) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.ClientID("chartd"), kgo.SeedBrokers(s.cfg.Brokers...), kgo.DialTimeout(s.cfg.Timeout.Std()),
		kgo.ConsumeStartOffset(start), kgo.ConsumeResetOffset(start), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(maxFetch), kgo.FetchMaxPartitionBytes(maxFetch), kgo.MaxConcurrentFetches(maxFetches), kgo.FetchMaxWait(maxWait),
		kgo.DisableClientMetrics(),
	}
	if s.cfg.TLS.Enabled {
		tlsConfig, err := s.cfg.TLS.Load()
		if err != nil {
			return nil, fmt.Errorf("tls_config.%w", err)
		}
		opts = append(opts, kgo.DialTLSConfig(tlsConfig))
	}
	if s.cfg.SASL.Username != "" {
		opts = append(opts, kgo.SASL(s.cfg.SASL.mechanism()))
	}
	return kgo.NewClient(opts...)
}

func (c SASL) mechanism() sasl.Mechanism {
	auth := scram.Auth{User: c.Username, Pass: c.Password.Reveal()}
	switch c.Mechanism {
	case ScramSHA256:
		return auth.AsSha256Mechanism()
	case ScramSHA512:
		return auth.AsSha512Mechanism()
	case Plain:
	}
	return plain.Auth{User: c.Username, Pass: c.Password.Reveal()}.AsMechanism()
}

// id tells a topic from another one of its name. It is zero if the brokers are
// too old to say it.
type id [16]byte

// look asks the cluster whether it is there, and which topics.
func (s *Source) look(ctx context.Context, client *kgo.Client) (map[string]id, error) {
	patience := min(s.cfg.Timeout.Std()*time.Duration(1+len(s.cfg.Brokers)), maxPatience)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Unlike Request, Ping does not try again, and so tells what is wrong.
	if err := client.Ping(ctx); err != nil {
		return nil, s.explain(err)
	}
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	for _, topic := range s.cfg.Topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = new(topic)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, s.explain(err)
	}
	ids := map[string]id{}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		err := kerr.ErrorForCode(t.ErrorCode)
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return nil, fmt.Errorf("there is no topic %s", *t.Topic)
		case err != nil:
			return nil, fmt.Errorf("topic %s: %w", *t.Topic, err)
		}
		ids[*t.Topic] = t.TopicID
	}
	return ids, nil
}

// explain says what an error of the library may mean.
func (s *Source) explain(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("a broker ended the connection at once, as some do when the name or the password is wrong, or when tls_config is not what they expect: %w", err)
	}
	return err
}

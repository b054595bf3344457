package sources

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// fakeKafka is franz-go's own fake of a Kafka cluster, kfake, in this process: no Kafka is small enough to start in a test. It speaks the protocol over TCP and
// keeps its records in a directory, so that it comes back to where it was.
type fakeKafka struct {
	t       testing.TB
	addr    string
	dir     string
	opts    []kfake.Opt
	cluster *kfake.Cluster
	client  *kgo.Client
}

const kafkaPassword = "hunter2-kafka"

func newKafka(t testing.TB, opts ...kfake.Opt) *fakeKafka {
	t.Helper()
	k := &fakeKafka{t: t, addr: address(t), dir: t.TempDir(), opts: opts}
	t.Cleanup(k.stop)
	return k
}

func (k *fakeKafka) start(opts ...kgo.Opt) {
	k.t.Helper()
	_, port, _ := net.SplitHostPort(k.addr)
	n, err := strconv.Atoi(port)
	if err != nil {
		k.t.Fatal(err)
	}
	k.cluster, err = kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.Ports(n), kfake.DataDir(k.dir)}, k.opts...)...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.connect(opts...)
}

// connect makes a client for put; a new one is needed for a topic that was made anew.
func (k *fakeKafka) connect(opts ...kgo.Opt) {
	k.t.Helper()
	if k.client != nil {
		k.client.Close()
	}
	var err error
	k.client, err = kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(k.addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics()}, opts...)...)
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *fakeKafka) stop() {
	if k.cluster == nil {
		return
	}
	k.client.Close()
	k.cluster.Close()
	k.cluster = nil
}

// put stores a record.
func (k *fakeKafka) put(r *kgo.Record) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	if err := k.client.ProduceSync(ctx, r).FirstErr(); err != nil {
		k.t.Fatal(err)
	}
}

// TestKafkaTopics reads topics of a cluster that is down at first, goes away and comes back, and of one that is made anew.
func TestKafkaTopics(t *testing.T) {
	t.Parallel()
	k := newKafka(t, kfake.SeedTopics(3, "readings"), kfake.SeedTopics(1, "raw"),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "me", kafkaPassword))
	me := kgo.SASL(scram.Auth{User: "me", Pass: kafkaPassword}.AsSha256Mechanism())
	yaml := func(start string) string {
		return fmt.Sprintf(`
sources:
  plant:
    type: kafka
    brokers: ["%s"]
    topics: [readings, raw]
    %s
    timeout: 300ms
    record_labels: {sensor: key, part: partition, site: header.site}
    sasl: {mechanism: SCRAM-SHA-256, username: me, password: %s}
`, k.addr, start, kafkaPassword)
	}
	base := time.Now().UnixMilli()
	var want []store.Sample
	put := func(first, last int) {
		t.Helper()
		texts, more := numbered(base, first, last)
		for i, text := range texts {
			// Each partition has a third.
			k.put(&kgo.Record{Topic: "readings", Partition: int32((first + i) % 3), Key: []byte("k1"), Value: []byte(text), Headers: []kgo.RecordHeader{{Key: "site", Value: []byte("north")}}})
		}
		want = append(want, more...)
	}
	got := func(r *rig) (out []store.Sample) {
		for part := range 3 {
			out = append(out, r.one("plant_v", "topic=readings", "sensor=k1", "site=north", "part="+strconv.Itoa(part))...)
		}
		slices.SortFunc(out, func(a, b store.Sample) int { return int(a.T - b.T) })
		return out
	}
	holds := func(r *rig, want []store.Sample) func() bool { return func() bool { return len(got(r)) == len(want) } }

	r := start(t, yaml("since: 1h"))
	down := func() bool { return strings.HasSuffix(r.status("plant").Error, "connect: connection refused") }
	livetest.Eventually(t, "the source says that the brokers are down", down)
	k.start(me)
	// What is older than since is left out, what is younger is of its timestamp.
	k.put(&kgo.Record{Topic: "raw", Value: []byte("1"), Timestamp: time.UnixMilli(base).Add(-2 * time.Hour)})
	k.put(&kgo.Record{Topic: "raw", Value: []byte("2"), Timestamp: time.UnixMilli(base).Add(-time.Minute)})
	put(1, 30)
	livetest.Eventually(t, "the past is there", func() bool { return holds(r, want)() && r.status("plant").Samples == 31 })
	if raw := r.one("plant", "topic=raw"); len(raw) != 1 || raw[0] != (store.Sample{T: base - 60_000, V: 2}) {
		t.Errorf("of the past: %v", raw)
	}
	k.put(&kgo.Record{Topic: "readings", Value: []byte("{\"v\":")})
	k.put(&kgo.Record{Topic: "readings", Value: []byte("\xff\x00")})
	k.put(&kgo.Record{Topic: "readings"}) // a tombstone
	fresh := start(t, yaml("start: latest"))
	livetest.Eventually(t, "who wants only what is new waits for it", func() bool {
		st := fresh.status("plant")
		return st.Up && st.Errors == 0 && r.status("plant").Rejected == 2 && r.status("plant").Skipped == 1
	})
	put(31, 40)
	livetest.Eventually(t, "what is new is there", func() bool { return holds(r, want)() && holds(fresh, want[30:])() })

	// The brokers are away, and when they are back there is more before anybody has connected again.
	k.stop()
	livetest.Eventually(t, "the source says that the brokers are away", down)
	k.start(me)
	put(41, 70)
	livetest.Eventually(t, "what was stored meanwhile is there", func() bool { return holds(r, want)() && holds(fresh, want[30:])() })
	if !slices.Equal(got(r), want) || !slices.Equal(got(fresh), want[30:]) {
		t.Errorf("what was stored is not what is there: %v and %v", got(r), got(fresh))
	}
	if one, other := r.status("plant").Samples, fresh.status("plant").Samples; one != 71 || other != 40 {
		t.Errorf("%d and %d samples, want 71 and 40: nothing counts twice", one, other)
	}

	// A chartd that is started now has the past, too: nothing was committed.
	late := start(t, yaml("start: earliest"))
	livetest.Eventually(t, "it begins in the past", func() bool { return holds(late, want)() })

	// What was not read yet may be gone, and the topic may be another one that begins to count at 0 again.
	if err := k.cluster.DeleteTopic("readings"); err != nil {
		t.Fatal(err)
	}
	if err := k.cluster.CreateTopic("readings", 3, nil); err != nil {
		t.Fatal(err)
	}
	k.connect(me)
	put(71, 75)
	livetest.Eventually(t, "what the new topic holds is there", func() bool { return holds(r, want)() && holds(late, want)() && holds(fresh, want[30:])() })
	if n := r.status("plant").Samples; n != 76 {
		t.Errorf("%d samples, want 76", n)
	}
	r.holdsNoSecret(kafkaPassword)
}

// TestKafkaWaysIn lets a cluster ask who it is, and turn away who it does not know.
func TestKafkaWaysIn(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert := ca.files("127.0.0.1")
	asks := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "me", kafkaPassword), kfake.Superuser("SCRAM-SHA-512", "me", kafkaPassword)}
	me := kgo.SASL(plain.Auth{User: "me", Pass: kafkaPassword}.AsMechanism())
	trusted := ca.server(t)
	for name, tc := range map[string]struct {
		cluster []kfake.Opt
		client  []kgo.Opt
		yaml    string
		want    string // of the error; "" is a sample
	}{
		"plain":          {asks, []kgo.Opt{me}, "sasl: {username: me, password: " + kafkaPassword + "}", ""},
		"scram":          {asks, []kgo.Opt{me}, "sasl: {mechanism: SCRAM-SHA-512, username: me, password: " + kafkaPassword + "}", ""},
		"wrong password": {asks, []kgo.Opt{me}, "sasl: {mechanism: SCRAM-SHA-512, username: me, password: hunter2-kafkb}", "the name or the password is wrong"},
		"TLS": {
			[]kfake.Opt{kfake.TLS(trusted)},
			[]kgo.Opt{kgo.DialTLSConfig(ca.client())},
			fmt.Sprintf("tls_config: {enabled: true, ca_file: %s, cert_file: %s, key_file: %s}", ca.file, cert.cert, cert.key), "",
		},
		"unknown CA": {[]kfake.Opt{kfake.TLS(trusted)}, []kgo.Opt{kgo.DialTLSConfig(ca.client())}, "tls_config: {enabled: true}", "certificate signed by unknown authority"},
		"no topic":   {nil, nil, "topics: [b]", "there is no topic b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKafka(t, append(tc.cluster, kfake.SeedTopics(1, "a"))...)
			k.start(tc.client...)
			topics := "topics: [a], "
			if strings.Contains(tc.yaml, "topics") {
				topics = ""
			}
			r := start(t, fmt.Sprintf("sources: {bus: {type: kafka, brokers: ['%s'], %s%s}}", k.addr, topics, tc.yaml))
			defer r.holdsNoSecret("hunter2")
			if tc.want != "" {
				livetest.Eventually(t, "it is turned away", func() bool { return strings.Contains(r.status("bus").Error, tc.want) })
				return
			}
			k.put(&kgo.Record{Topic: "a", Value: []byte("1")})
			livetest.Eventually(t, "it reads", func() bool { return len(r.one("bus", "topic=a")) == 1 })
		})
	}
}

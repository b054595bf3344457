package mqtt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/mqtt"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hidden = "hunter2"

func config(change func(*mqtt.Config)) *mqtt.Config {
	c := mqtt.DefaultConfig()
	c.Broker, c.Topics = "mqtt://127.0.0.1:1", []string{"s/{room}/{metric}"}
	if change != nil {
		change(c)
	}
	return c
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		change func(*mqtt.Config)
		want   string
	}{
		{nil, ""},
		{func(c *mqtt.Config) { c.Broker = "wss://host/path" }, ""},
		{func(c *mqtt.Config) { c.Broker = "tcp://host" }, ""},
		{func(c *mqtt.Config) { c.Broker = "" }, "broker: is missing; "},
		{func(c *mqtt.Config) { c.Broker = secret.URL("http://me:" + hidden + "@host") }, "broker: does not begin with mqtt:// or "},
		{func(c *mqtt.Config) { c.Broker = secret.URL("mqtt://me:" + hidden + "@host:port") }, "broker: is not a URL; "},
		{func(c *mqtt.Config) { c.Broker = secret.URL("mqtt://me:" + hidden + "@host") }, "broker: holds a name or a password; the keys username and password"},
		{func(c *mqtt.Config) { c.Topics = nil }, "topics: is missing; "},
		{func(c *mqtt.Config) { c.Topics = []string{"a/#/b"} }, "topics[0]: "},
		{func(c *mqtt.Config) { c.Topics = []string{"a/#", "a/b"} }, "topics[1]: some topics are meant by "},
		{func(c *mqtt.Config) { c.Topics = []string{"$share/g/a/b"} }, `topics[0]: "$share/g/a/b" is a shared subscription, `},
		{func(c *mqtt.Config) { c.Topics = []string{"$SYS/broker/{metric}"} }, ""},
		{func(c *mqtt.Config) { c.QoS = 3 }, "qos: 3 is out of range; 0, 1 or 2"},
		{func(c *mqtt.Config) { c.Version = "4" }, `version: there is no version "4"; `},
		{func(c *mqtt.Config) { c.ClientID = "a\n" }, "client_id: cannot be a name; "},
		{func(c *mqtt.Config) { c.Password = hidden }, "username: is missing; "},
		{func(c *mqtt.Config) { c.KeepAlive = 1 }, "keep_alive: 1ns is out of range; a duration from 1s to 1h"},
		{func(c *mqtt.Config) { c.TLS.KeyFile = "f" }, "tls_config: has only one of cert_file and key_file; "},
		{func(c *mqtt.Config) { c.Query = ".[" }, "query: unexpected EOF; "},
	} {
		c := config(tc.change)
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Error())
		}
		text := strings.Join(got, "; ")
		if (tc.want == "") != (text == "") || !strings.HasPrefix(text, tc.want) || len(got) > 1 {
			t.Errorf("got %q, want %q", got, tc.want)
		}
		if said := text + fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(said, hidden) {
			t.Errorf("the password shows in %s", said)
		}
	}
}

// nowhere takes no sample.
type nowhere struct{ t *testing.T }

func (n nowhere) Append(metric string, labels store.Labels, _ int64, v float64) error {
	n.t.Errorf("a sample of nothing: %s%s %v", metric, labels, v)
	return nil
}

func TestNobodyListens(t *testing.T) {
	for _, broker := range []secret.URL{"mqtt://127.0.0.1:1", "mqtts://127.0.0.1:1", "ws://127.0.0.1:1"} {
		src, err := config(func(c *mqtt.Config) { c.Broker = broker }).New(deps())
		if err != nil {
			t.Fatal(err)
		}
		if err := src.Run(t.Context(), nowhere{t}); err == nil || !strings.Contains(err.Error(), "connecting to "+string(broker)) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", broker, err)
		}
	}
}

func deps() source.Deps {
	return source.Deps{Name: "m", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}}
}

// What a broker is subscribed to, and what becomes of it.
func Example() {
	cfg := mqtt.DefaultConfig()
	cfg.Broker = "mqtts://broker.example.com"
	cfg.Topics = []string{"sensors/{room}/{metric}"} // sensors/lab/temp 21.5 is temp{room="lab"} 21.5
	cfg.Username, cfg.Password = "chartd", hidden
	fmt.Println(len(cfg.Validate()), "problems;", cfg.Broker, cfg.Username, cfg.Password)
	// Output:
	// 0 problems; mqtts://broker.example.com chartd [secret]
}

func TestVersions(t *testing.T) {
	if !slices.Contains(mqtt.Versions(), mqtt.DefaultConfig().Version) {
		t.Error("the default is no version")
	}
}

package sources

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// mosquitto is a broker that can be ended and started again where it was. It asks for a name and a password, "me" and "hunter2".
type mosquitto struct {
	*process
	t                 testing.TB
	addr, secure, web string // addresses: plain, TLS, WebSocket
	cert, config      string
}

func newMosquitto(t testing.TB) *mosquitto {
	t.Helper()
	b := &mosquitto{t: t, addr: address(t), secure: address(t), web: address(t)}
	dir := t.TempDir()
	passwords, config := filepath.Join(dir, "passwords"), filepath.Join(dir, "mosquitto.conf")
	write(t, passwords, "me:hunter2\n")
	command(t, program(t, "mosquitto_passwd", "mosquitto"), "-U", passwords)
	var key string
	b.cert, key = certificate(t)
	port := func(addr string) string { _, p, _ := strings.Cut(addr, ":"); return p }
	write(t, config, fmt.Sprintf(`
user root
allow_anonymous false
password_file %s
listener %s 127.0.0.1
listener %s 127.0.0.1
certfile %s
keyfile %s
listener %s 127.0.0.1
protocol websockets
`, passwords, port(b.addr), port(b.secure), b.cert, key, port(b.web)))
	b.config = config
	return b
}

func (b *mosquitto) start() {
	b.t.Helper()
	b.process = launch(b.t, b.addr, program(b.t, "mosquitto", "mosquitto"), "-c", b.config)
}

// publish sends payloads to a topic, one after the other, with QoS 1.
func (b *mosquitto) publish(topic string, payloads ...string) { b.send(topic, false, payloads) }

func (b *mosquitto) retain(topic string, payloads ...string) { b.send(topic, true, payloads) }

func (b *mosquitto) send(topic string, retain bool, payloads []string) {
	b.t.Helper()
	host, port, _ := strings.Cut(b.addr, ":")
	for _, p := range payloads {
		args := []string{"-h", host, "-p", port, "-u", "me", "-P", "hunter2", "-q", "1", "-t", topic, "-m", p}
		if retain {
			args = append(args, "-r")
		}
		command(b.t, program(b.t, "mosquitto_pub", "mosquitto-clients"), args...)
	}
}

// TestMQTT reads a mosquitto that is down at first, is killed, comes back, and is sent rubbish: in both versions, with each QoS, over TLS and WebSocket.
func TestMQTT(t *testing.T) {
	t.Parallel()
	b := newMosquitto(t)
	sources := []string{"five", "three", "secure", "web"}
	r := start(t, fmt.Sprintf(`
sources:
  five: {type: mqtt, broker: "mqtt://%[1]s", username: me, password: hunter2, topics: ["sensors/{room}/{metric}", "plain/#"], qos: 1, metric: "five_{source}_{column}"}
  three: {type: mqtt, broker: "mqtt://%[1]s", version: 3.1.1, username: me, password: hunter2, topics: ["sensors/{room}/{metric}", "plain/#"], qos: 1, metric: "three_{source}_{column}"}
  secure: {type: mqtt, broker: "mqtts://%[2]s", username: me, password: hunter2, topics: ["sensors/{room}/{metric}", "plain/#"], qos: 2, metric: "secure_{source}_{column}", tls_config: {ca_file: %[4]s}}
  web: {type: mqtt, broker: "ws://%[3]s", version: 3.1.1, username: me, password: hunter2, topics: ["sensors/{room}/{metric}", "plain/#"], metric: "web_{source}_{column}"}
  wrong: {type: mqtt, broker: "mqtt://%[1]s", username: me, password: hunter3, topics: ["#"]}
  wrong3: {type: mqtt, broker: "mqtt://%[1]s", version: 3.1.1, username: me, password: hunter3, topics: ["#"]}
  untrusted: {type: mqtt, broker: "mqtts://%[2]s", username: me, password: hunter2, topics: ["#"]}
  notls: {type: mqtt, broker: "mqtt://%[2]s", username: me, password: hunter2, topics: ["#"]}
`, b.addr, b.secure, b.web, b.cert))
	subscribed := func() (n int) { return r.logs.FilterMessage("subscribed").Len() }
	for _, name := range sources {
		livetest.Eventually(t, name+" says that the broker is down", func() bool { return strings.Contains(r.status(name).Error, "connection refused") })
	}

	b.start()
	livetest.Eventually(t, "all have subscribed", func() bool { return subscribed() == len(sources) })
	got := func(name, rest string, labels ...string) []float64 { return numbers(r.one(name+"_"+rest, labels...)) }
	all := func(what, rest string, want []float64, labels ...string) {
		t.Helper()
		for _, name := range sources {
			livetest.Eventually(t, fmt.Sprintf("%s: %s is on the chart", name, what), func() bool { return len(got(name, rest, labels...)) >= len(want) })
			if g := got(name, rest, labels...); !slices.Equal(g, want) {
				t.Errorf("%s: %s: got %v, want %v", name, what, g, want)
			}
		}
	}
	began := time.Now().UnixMilli()
	b.publish("sensors/kitchen/temp", "21.5", "21.5", "-3e1")
	past := began/1000 - 60
	b.publish("sensors/lab/temp", fmt.Sprintf(`{"value": 19, "battery": 80, "note": "fine", "time": %d}`, past))
	b.publish("sensors/lab/door", "ON", "off", `"true"`)
	b.publish("plain/a/b", "7")
	all("a bare number", "temp", []float64{21.5, 21.5, -30}, "room=kitchen")
	all("JSON", "temp_battery", []float64{80}, "room=lab")
	all("words", "door", []float64{1, 0, 1}, "room=lab")
	for _, name := range sources { // the wildcard's message was the last one
		livetest.Eventually(t, name+" has what a wildcard means", func() bool { return len(r.one(name+"_"+name, "topic=plain/a/b")) > 0 })
		if s := r.one(name+"_temp", "room=kitchen"); s[0].T < began || s[0].T > time.Now().UnixMilli()+10 {
			t.Errorf("%s: a message is of %d, and came after %d", name, s[0].T, began)
		}
		if s := r.one(name+"_temp", "room=lab"); len(s) != 1 || s[0].T != past*1000 {
			t.Errorf("%s: JSON with a time became %v", name, s)
		}
		if s := r.one(name+"_"+name, "topic=plain/a/b"); len(s) != 1 || s[0].V != 7 {
			t.Errorf("%s: a wildcard gave %v", name, s)
		}
	}

	// Rubbish is counted, said, and harms nothing.
	for _, rubbish := range []string{"hello", "{\"value\": ", "\x01\xfe", "[1,", "0x10", "unavailable"} {
		b.publish("sensors/kitchen/temp", rubbish)
	}
	b.publish("sensors/kitchen/temp", "22")
	all("what comes after rubbish", "temp", []float64{21.5, 21.5, -30, 22}, "room=kitchen")
	for _, name := range sources {
		if st := r.status(name); st.Rejected != 5 || st.Skipped == 0 || !strings.Contains(st.Reject, `topic "sensors/kitchen/temp": `) {
			t.Errorf("%s: of rubbish: %+v", name, st)
		}
	}

	// A retained message is taken once, though it comes with every connection.
	b.retain("sensors/hall/temp", "17")
	all("a message that is retained", "temp", []float64{17}, "room=hall")

	// It dies, and comes back without what it retained; what is new comes once.
	for range 2 {
		b.kill()
		for _, name := range sources {
			livetest.Eventually(t, name+" notices", func() bool { return r.status(name).Error != "" })
		}
		n := subscribed()
		b.start()
		b.retain("sensors/hall/temp", "17") // as a broker that remembers would send it
		livetest.Eventually(t, "all have subscribed again", func() bool { return subscribed() == n+len(sources) })
	}
	b.publish("sensors/kitchen/temp", "23", "24")
	all("before and after", "temp", []float64{21.5, 21.5, -30, 22, 23, 24}, "room=kitchen")
	all("a message that is retained", "temp", []float64{17}, "room=hall")

	for name, want := range map[string]string{
		"wrong": "not authorized", "wrong3": "not authorized", "untrusted": "certificate signed by unknown authority", "notls": "does it want TLS (mqtts://)?",
	} {
		livetest.Eventually(t, name+" says why: "+want, func() bool {
			return strings.Contains(strings.ToLower(r.status(name).Error), strings.ToLower(want))
		})
	}
	r.holdsNoSecret("hunter2", "hunter3")
}

// TestMQTTRetained subscribes when there is a retained message already: it is of now. A client that takes its name takes its connection, and the message that is still retained is not taken again.
func TestMQTTRetained(t *testing.T) {
	t.Parallel()
	b := newMosquitto(t)
	b.start()
	b.retain("home/power", "400")
	began := time.Now().UnixMilli()
	r := start(t, fmt.Sprintf(`
sources:
  m: {type: mqtt, broker: "mqtt://%s", username: me, password: hunter2, topics: [home/power], client_id: chart}
`, b.addr))
	one := func() []float64 { return numbers(r.one("m", "topic=home/power")) }
	livetest.Eventually(t, "the retained message is on the chart", func() bool { return len(one()) == 1 })
	if s := r.one("m")[0]; s.T < began {
		t.Errorf("a retained message is of %d, before %d", s.T, began)
	}
	host, port, _ := strings.Cut(b.addr, ":")
	command(t, program(t, "mosquitto_pub", "mosquitto-clients"), "-h", host, "-p", port, "-u", "me", "-P", "hunter2", "-V", "5", "-i", "chart", "-t", "x", "-m", "1")
	livetest.Eventually(t, "the source has lost its connection", func() bool { return strings.Contains(r.status("m").Error, "ended") })
	livetest.Eventually(t, "it is there again", func() bool { return r.logs.FilterMessage("subscribed").Len() == 2 })
	b.publish("home/power", "401")
	livetest.Eventually(t, "samples come again", func() bool { return slices.Contains(one(), 401) })
	if g := one(); !slices.Equal(g, []float64{400, 401}) || slices.ContainsFunc(g, math.IsNaN) {
		t.Errorf("got %v", g)
	}
}

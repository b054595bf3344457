package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// redisServer is a Redis that can be ended and started again where it was; it writes each change to its disk. It asks for the password "hunter2".
type redisServer struct {
	*process
	t            testing.TB
	addr, secure string
	cert         string
	args         []string
}

func newRedis(t testing.TB) *redisServer {
	t.Helper()
	s := &redisServer{t: t, addr: address(t), secure: address(t)}
	var key string
	s.cert, key = certificate(t)
	_, port, _ := strings.Cut(s.addr, ":")
	_, tlsPort, _ := strings.Cut(s.secure, ":")
	s.args = []string{
		"--bind", "127.0.0.1", "--port", port, "--tls-port", tlsPort, "--tls-cert-file", s.cert, "--tls-key-file", key, "--tls-ca-cert-file", s.cert,
		"--tls-auth-clients", "no", "--requirepass", "hunter2", "--user", "chart", "on", ">hunter2-acl", "~temps", "+@read", "+@connection", "--dir", t.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	s.process = launch(s.t, s.addr, program(s.t, "redis-server", "redis-server"), s.args...)
	livetest.Eventually(s.t, "Redis has read its disk", func() bool { return s.do("PING") == "PONG" })
}

// do runs a command.
func (s *redisServer) do(args ...string) string {
	s.t.Helper()
	_, port, _ := strings.Cut(s.addr, ":")
	return command(s.t, program(s.t, "redis-cli", "redis-tools"), append([]string{"-p", port, "-a", "hunter2", "--no-auth-warning"}, args...)...)
}

// TestRedis reads streams and channels of a Redis that is down at first, is killed, comes back, and holds rubbish.
func TestRedis(t *testing.T) {
	t.Parallel()
	s := newRedis(t)
	r := start(t, fmt.Sprintf(`
sources:
  plain: {type: redis, url: "redis://%[1]s", password: hunter2, streams: [temps, missing], since: 1h}
  tls: {type: redis, url: "rediss://:hunter2@%[2]s/0", streams: [temps], since: 1h, labels: [room], values: [temp], tls_config: {ca_file: %[3]s}}
  json: {type: redis, url: "redis://%[1]s", password: hunter2, streams: [packed], field: data, labels: [host], since: 0s}
  heard: {type: redis, url: "redis://%[1]s", password: hunter2, channels: ["sensors:{room}:{metric}", "news:*", "alone"]}
  typed: {type: redis, url: "redis://%[1]s", password: hunter2, streams: [text]}
  acl: {type: redis, url: "redis://%[1]s", username: chart, password: hunter2-acl, streams: [temps], since: 1h}
  acl_url: {type: redis, url: "redis://chart:hunter2-acl@%[1]s", streams: [temps], since: 1h}
  denied: {type: redis, url: "redis://%[1]s", username: chart, password: hunter2-acl, streams: [packed], since: 1h}
  wrong: {type: redis, url: "redis://%[1]s", password: hunter3, streams: [temps]}
  untrusted: {type: redis, url: "rediss://%[2]s", password: hunter2, streams: [temps]}
`, s.addr, s.secure, s.cert))
	names := []string{"plain", "tls", "json", "heard", "acl", "acl_url"}
	for _, name := range names {
		livetest.Eventually(t, name+" says that the server is down", func() bool { return strings.Contains(r.status(name).Error, "connection refused") })
	}
	// ready says how often each source has begun to read.
	ready := func() map[string]int {
		times := map[string]int{}
		for _, message := range []string{"reading", "listening"} {
			for _, e := range r.logs.FilterMessage(message).All() {
				times[fmt.Sprint(e.ContextMap()["source"])]++
			}
		}
		return times
	}
	again := func(was map[string]int) func() bool {
		return func() bool {
			now := ready()
			return !slices.ContainsFunc(names, func(name string) bool { return now[name] <= was[name] })
		}
	}

	s.start()
	now := time.Now().UnixMilli()
	// What was written before chartd came is there, at its own time; what is older than since is not.
	for i, ago := range []int64{7_200_000, 60_000, 30_000} {
		s.do("XADD", "temps", fmt.Sprintf("%d-0", now-ago), "room", "kitchen", "temp", fmt.Sprint(20+i), "state", "on")
	}
	s.do("SET", "text", "21.5")
	livetest.Eventually(t, "all are there", again(nil))
	kitchen := func() []store.Sample { return r.one("plain_temp", "room=kitchen", "stream=temps") }
	restricted := func() []store.Sample { return r.one("acl_temp", "room=kitchen", "stream=temps") }
	byURL := func() []store.Sample { return r.one("acl_url_temp", "room=kitchen", "stream=temps") }
	secure := func() []store.Sample { return r.one("tls_temp", "room=kitchen", "stream=temps") }
	wantBoth := func(what string, want ...float64) {
		t.Helper()
		for _, get := range []func() []store.Sample{kitchen, secure, restricted, byURL} {
			livetest.Eventually(t, what, func() bool { return len(get()) >= len(want) })
			if g := numbers(get()); !slices.Equal(g, want) {
				t.Errorf("%s: got %v, want %v", what, g, want)
			}
		}
	}
	wantBoth("the past", 21, 22)
	if got := kitchen(); got[0].T != now-60_000 {
		t.Errorf("an entry is of %d, want %d", got[0].T, now-60_000)
	}
	s.do("XADD", "temps", fmt.Sprintf("%d-0", now), "room", "kitchen", "temp", "23")
	wantBoth("what is new", 21, 22, 23)
	if got := numbers(r.one("plain_state", "room=kitchen")); !slices.Equal(got, []float64{1, 1}) || len(r.one("tls_state")) > 0 {
		t.Errorf("a word became %v; and what is not among values: %v", got, r.one("tls_state"))
	}

	s.do("XADD", "packed", "*", "data", `{"load": 0.5, "text": "x"}`, "host", "web1")
	livetest.Eventually(t, "JSON in a field is on the chart", func() bool { return len(r.one("json_load", "host=web1", "stream=packed")) == 1 })
	for _, rubbish := range [][]string{{"data", "hello"}, {"other", "1"}, {"data", `{"load":`}} {
		s.do(append([]string{"XADD", "packed", "*"}, rubbish...)...)
	}
	s.do("XADD", "packed", "*", "data", "7", "host", "web1")
	livetest.Eventually(t, "what comes after rubbish is there", func() bool { return len(r.one("json", "host=web1")) == 1 })
	if st := r.status("json"); st.Rejected != 3 || !strings.Contains(st.Reject, `stream "packed": `) {
		t.Errorf("of rubbish: %+v", st)
	}

	hear := func() {
		s.do("PUBLISH", "sensors:lab:temp", "19.5")
		s.do("PUBLISH", "sensors:lab:temp:deep", "1") // which no channel means
		s.do("PUBLISH", "sensors:lab:temp", "rubbish")
		s.do("PUBLISH", "news:a:b", `{"v": 3}`)
		s.do("PUBLISH", "alone", "off")
	}
	heard := func(n int) {
		t.Helper()
		livetest.Eventually(t, "channels are heard", func() bool {
			return len(r.one("temp", "room=lab")) == n && len(r.one("heard_v", "channel=news:a:b")) == n && len(r.one("heard", "channel=alone")) == n
		})
		if st := r.status("heard"); st.Rejected != uint64(n) || st.Skipped != uint64(n) || !strings.Contains(st.Reject, `channel "sensors:lab:temp": the payload "rubbish"`) {
			t.Errorf("of rubbish in channels: %+v", st)
		}
	}
	hear()
	heard(1)

	// It dies, and what is written when it is back, before chartd is, is not lost, and nothing comes twice.
	was := ready()
	s.kill()
	for _, name := range names {
		livetest.Eventually(t, name+" notices", func() bool { return r.status(name).Error != "" })
	}
	s.start()
	s.do("XADD", "temps", fmt.Sprintf("%d-0", now+1), "room", "kitchen", "temp", "24")
	s.do("XADD", "temps", fmt.Sprintf("%d-1", now+1), "room", "lab", "temp", "18")
	wantBoth("what came meanwhile", 21, 22, 23, 24)
	livetest.Eventually(t, "all are there again", again(was))
	hear()
	heard(2)
	wantBoth("nothing comes twice", 21, 22, 23, 24)

	// The stream is deleted, and made anew with older ids.
	s.do("DEL", "temps")
	s.do("XADD", "temps", fmt.Sprintf("%d-5", now-10), "room", "cellar", "temp", "12")
	livetest.Eventually(t, "a stream that was made anew is read", func() bool { return len(r.one("plain_temp", "room=cellar")) == 1 })
	if r.logs.FilterMessageSnippet("was made anew").Len() == 0 {
		t.Error("the log does not say that the stream was made anew")
	}

	for name, want := range map[string]string{
		"denied": "NOPERM", "typed": `the key "text" holds something else than a stream`, "wrong": "WRONGPASS", "untrusted": "certificate signed by unknown authority",
	} {
		livetest.Eventually(t, name+" says why: "+want, func() bool { return strings.Contains(r.status(name).Error, want) })
	}
	r.holdsNoSecret("hunter2", "hunter3")
}

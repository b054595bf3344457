package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// numbered returns payloads that say their time, each with its own: {"t":…,"v":1} and so on, from first to last.
func numbered(base int64, first, last int) (texts []string, want []store.Sample) {
	for i := first; i <= last; i++ {
		texts = append(texts, fmt.Sprintf(`{"t":%d,"v":%d}`, base+int64(i), i))
		want = append(want, store.Sample{T: base + int64(i), V: float64(i)})
	}
	return texts, want
}

// TestNATSSubjects subscribes to a nats-server that is down at first, goes away and comes back.
func TestNATSSubjects(t *testing.T) {
	t.Parallel()
	n := newNATS(t, nil)
	r := start(t, fmt.Sprintf(`
sources:
  bus: {type: nats, servers: ["nats://%s"], user: me, password: %s, subjects: ["plant.{room}.{metric}", "raw.>"]}
  url: {type: nats, servers: ["nats://me:%s@%s"], subjects: ["plant.*.temp"]}
`, n.addr, natsPassword, natsPassword, n.addr))
	down := func() bool {
		return strings.HasSuffix(r.status("bus").Error, "connect: connection refused") && strings.HasSuffix(r.status("url").Error, "connect: connection refused")
	}
	livetest.Eventually(t, "the sources say that the server is down", down)

	subscribed := func() bool { return n.listeners("plant.kitchen.temp") == 2 && n.listeners("raw.a.b") == 1 }
	n.start(true)
	livetest.Eventually(t, "both have subscribed", subscribed)
	base := time.Now().UnixMilli()
	texts, want := numbered(base, 1, 50)
	for _, text := range texts {
		n.publish("plant.kitchen.temp", text)
	}
	n.publish("plant.kitchen.temp", "21.5 or so") // is no number
	n.publish("plant.kitchen.temp", "\x00\xff{[")
	n.publish("plant.kitchen.door", "on")
	n.publish("raw.a.b", "7")
	kitchen := func() []store.Sample { return r.one("temp_v", "room=kitchen") }
	other := func() []store.Sample { return r.one("url_v", "subject=plant.kitchen.temp") }
	livetest.Eventually(t, "all are there", func() bool {
		return len(kitchen()) == 50 && len(other()) == 50 && len(r.one("door", "room=kitchen")) == 1 && len(r.one("bus", "subject=raw.a.b")) == 1 &&
			r.status("bus").Rejected == 2 && r.status("url").Rejected == 2
	})
	if st := r.status("bus"); st.Error != "" || !strings.Contains(st.Reject, `subject "plant.kitchen.temp": `) {
		t.Errorf("when it is there: %+v", st)
	}

	n.stop()
	livetest.Eventually(t, "the sources say that the server is away", down)
	n.start(true)
	livetest.Eventually(t, "both have subscribed again", subscribed)
	texts, more := numbered(base, 51, 100)
	for _, text := range texts {
		n.publish("plant.kitchen.temp", text)
	}
	want = append(want, more...)
	livetest.Eventually(t, "all are there again", func() bool { return len(kitchen()) == 100 && len(other()) == 100 })
	if !slices.Equal(kitchen(), want) || !slices.Equal(other(), want) {
		t.Errorf("what was published is not what is there: %v and %v", kitchen(), other())
	}
	if bus, url := r.status("bus").Samples, r.status("url").Samples; bus != 102 || url != 100 {
		t.Errorf("%d and %d samples, want 102 and 100: nothing counts twice", bus, url)
	}
	r.holdsNoSecret(natsPassword)
}

// TestNATSWaysIn lets a nats-server ask who it is, and turn away who it does not know.
func TestNATSWaysIn(t *testing.T) {
	t.Parallel()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := pair.PublicKey()
	seed, _ := pair.Seed()
	seedFile := filepath.Join(t.TempDir(), "seed.nk")
	if err := os.WriteFile(seedFile, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t)
	cert := ca.files("127.0.0.1")
	const token = "hunter2-token"
	nobody := func(o *server.Options) { o.Username, o.Password = "", "" }
	operator, stranger := newOperator(t), newOperator(t)
	for name, tc := range map[string]struct {
		server func(*server.Options)
		me     nats.Option
		yaml   string
		want   string // of the error; "" is a sample
	}{
		"token":       {func(o *server.Options) { nobody(o); o.Authorization = token }, nats.Token(token), "token: " + token, ""},
		"wrong token": {func(o *server.Options) { nobody(o); o.Authorization = token }, nats.Token(token), "token: hunter2-tokem", "nats: Authorization Violation"},
		"nkey": {
			func(o *server.Options) { nobody(o); o.Nkeys = []*server.NkeyUser{{Nkey: public}} },
			nats.Nkey(public, pair.Sign), "nkey: " + seedFile, "",
		},
		"JWT":       {operator.server, nats.UserJWTAndSeed(operator.token, operator.seed), "creds: " + operator.file(t), ""},
		"wrong JWT": {operator.server, nats.UserJWTAndSeed(operator.token, operator.seed), "creds: " + stranger.file(t), "nats: Authorization Violation"},
		"no file":   {operator.server, nats.UserJWTAndSeed(operator.token, operator.seed), "creds: /nowhere", "no such file"},
		"TLS": {
			func(o *server.Options) { o.TLSConfig = ca.server(t) }, nats.UserInfo("me", natsPassword),
			fmt.Sprintf("user: me, password: %s, tls_config: {ca_file: %s, cert_file: %s, key_file: %s}", natsPassword, ca.file, cert.cert, cert.key), "",
		},
		"unknown CA":   {func(o *server.Options) { o.TLSConfig = ca.server(t) }, nats.UserInfo("me", natsPassword), "user: me, password: " + natsPassword, "certificate signed by unknown authority"},
		"no TLS there": {nil, nats.UserInfo("me", natsPassword), fmt.Sprintf("user: me, password: %s, tls_config: {ca_file: %s}", natsPassword, ca.file), "secure connection not available"},
		"permission": {
			func(o *server.Options) {
				nobody(o)
				o.Users = []*server.User{
					{Username: "me", Password: natsPassword, Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Allow: []string{"b"}}}},
					{Username: "all", Password: natsPassword},
				}
			},
			nats.UserInfo("all", natsPassword), "user: me, password: " + natsPassword, `Permissions Violation for Subscription to "a"`,
		},
		"no JetStream": {func(o *server.Options) { o.JetStream = false }, nats.UserInfo("me", natsPassword), "jetstream: {stream: S}, user: me, password: " + natsPassword, "the server has no JetStream"},
		"no stream":    {nil, nats.UserInfo("me", natsPassword), "jetstream: {stream: S}, user: me, password: " + natsPassword, "there is no stream S"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNATS(t, tc.server)
			n.start(true, tc.me)
			r := start(t, fmt.Sprintf("sources: {bus: {type: nats, servers: ['nats://%s'], subjects: [a], %s}}", n.addr, tc.yaml))
			defer r.holdsNoSecret("hunter2", string(seed), operator.seed, operator.token)
			if tc.want != "" {
				livetest.Eventually(t, "it is turned away", func() bool { return strings.Contains(r.status("bus").Error, tc.want) })
				return
			}
			livetest.Eventually(t, "it has subscribed", func() bool { return n.listeners("a") == 1 })
			n.publish("a", "1")
			livetest.Eventually(t, "it reads", func() bool { return len(r.one("bus", "subject=a")) == 1 })
		})
	}
}

// TestNATSStream reads a stream: what was stored before, while chartd was disconnected, and after the stream was made anew.
func TestNATSStream(t *testing.T) {
	t.Parallel()
	n := newNATS(t, nil)
	config := func(since string) string {
		return fmt.Sprintf(`
sources:
  past: {type: nats, servers: ["nats://%s"], user: me, password: %s, jetstream: {stream: PLANT, since: %s}, subjects: ["plant.{room}.temp", "plant.*.door"]}
  all: {type: nats, servers: ["nats://%s"], user: me, password: %s, jetstream: {stream: PLANT, since: %s}}
`, n.addr, natsPassword, since, n.addr, natsPassword, since)
	}
	var want []store.Sample
	base := time.Now().UnixMilli()
	put := func(first, last int) {
		t.Helper()
		texts, more := numbered(base, first, last)
		for _, text := range texts {
			n.store("PLANT", "plant.kitchen.temp", text)
		}
		want = append(want, more...)
	}

	n.start(true)
	n.stream("PLANT", false, "plant.>")
	put(1, 20)
	doorOpen := n.store("PLANT", "plant.kitchen.door", "on")
	n.store("PLANT", "plant.kitchen.level", "3") // which past has not asked for

	r := start(t, config("1h"))
	fresh := start(t, config("0"))
	kitchen := func(r *rig) []store.Sample { return r.one("past_v", "room=kitchen") }
	all := func(r *rig) []store.Sample { return r.one("all_v", "subject=plant.kitchen.temp") }
	holds := func(r *rig, want []store.Sample) func() bool {
		return func() bool { return len(kitchen(r)) == len(want) && len(all(r)) == len(want) }
	}
	livetest.Eventually(t, "the past is there", func() bool {
		return holds(r, want)() && r.status("all").Samples == 22 && r.status("past").Samples == 21
	})
	if got := r.one("past", "subject=plant.kitchen.door"); len(got) != 1 || got[0].T != doorOpen || got[0].V != 1 {
		t.Errorf("a message without a time is not of when the server stored it, %d: %v", doorOpen, got)
	}
	livetest.Eventually(t, "those that want only what is new are there, too", func() bool { return n.consumers("PLANT") == 4 })
	n.store("PLANT", "plant.kitchen.temp", "{\"v\":")
	put(21, 30)
	livetest.Eventually(t, "what is new is there", func() bool { return holds(r, want)() && holds(fresh, want[20:])() })

	// The server is away, and messages are stored while nobody can connect.
	n.stop()
	livetest.Eventually(t, "the sources say that the server is away", func() bool {
		return strings.HasSuffix(r.status("past").Error, "connect: connection refused") && strings.HasSuffix(fresh.status("all").Error, "connect: connection refused")
	})
	n.start(false)
	put(31, 60)
	n.stop()
	n.start(true)
	put(61, 70)
	livetest.Eventually(t, "what was stored meanwhile is there", func() bool { return holds(r, want)() && holds(fresh, want[20:])() })

	// There is another stream of the same name, which begins to count at 1 again.
	n.stop()
	n.start(false)
	n.stream("PLANT", true, "plant.>")
	put(71, 75)
	n.stop()
	n.start(true)
	livetest.Eventually(t, "what the new stream holds is there", func() bool { return holds(r, want)() && holds(fresh, want[20:])() })
	for _, one := range []*rig{r, fresh} {
		want := want
		if one == fresh {
			want = want[20:]
		}
		if !slices.Equal(kitchen(one), want) || !slices.Equal(all(one), want) {
			t.Errorf("what was stored is not what is there: %v and %v", kitchen(one), all(one))
		}
	}
	for _, tc := range []struct {
		name string
		rig  *rig
		want uint64
	}{{"past", r, 76}, {"all", r, 77}, {"past", fresh, 55}, {"all", fresh, 55}} {
		if st := tc.rig.status(tc.name); st.Samples != tc.want || st.Rejected != 1 {
			t.Errorf("%s: %d samples, %d rejected, want %d and 1: nothing counts twice", tc.name, st.Samples, st.Rejected, tc.want)
		}
	}

	// A chartd that is started now has what the stream still holds.
	late := start(t, config("1h"))
	livetest.Eventually(t, "it begins in the past", func() bool { return holds(late, want[70:])() })
	late.close()
	livetest.Eventually(t, "whoever is gone leaves no consumer behind", func() bool { return n.consumers("PLANT") == 4 })
	r.holdsNoSecret(natsPassword)
}

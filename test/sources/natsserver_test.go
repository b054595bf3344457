package sources

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// natsServer is a nats-server in this process, with JetStream, that comes back to where it was: the same port, the same directory.
type natsServer struct {
	t    testing.TB
	addr string
	opts server.Options
	srv  *server.Server
	conn *nats.Conn // within the process, so that it is there while nobody else can connect
}

const natsPassword = "hunter2-nats"

func newNATS(t testing.TB, change func(*server.Options)) *natsServer {
	t.Helper()
	n := &natsServer{t: t, addr: address(t)}
	host, port, _ := net.SplitHostPort(n.addr)
	n.opts = server.Options{
		Host: host, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(),
		Username: "me", Password: natsPassword,
	}
	n.opts.Port, _ = strconv.Atoi(port)
	if change != nil {
		change(&n.opts)
	}
	t.Cleanup(n.stop)
	return n
}

// operator signs who may use a nats-server, as nsc does: an account, and a user of
// it by a token and a seed.
type operator struct {
	token, seed string
	server      func(*server.Options)
}

func newOperator(t testing.TB) *operator {
	t.Helper()
	must := func(pair nkeys.KeyPair, err error) (nkeys.KeyPair, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		return pair, public
	}
	signed := func(claims jwt.Claims, by nkeys.KeyPair) string {
		t.Helper()
		token, err := claims.Encode(by)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	top, topKey := must(nkeys.CreateOperator())
	account, accountKey := must(nkeys.CreateAccount())
	user, userKey := must(nkeys.CreateUser())
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	grant := signed(jwt.NewAccountClaims(accountKey), top)
	o := &operator{token: signed(jwt.NewUserClaims(userKey), account), seed: string(seed)}
	o.server = func(opts *server.Options) {
		accounts := &server.MemAccResolver{}
		if err := accounts.Store(accountKey, grant); err != nil {
			t.Error(err)
		}
		opts.Username, opts.Password, opts.JetStream = "", "", false
		opts.TrustedOperators, opts.AccountResolver = []*jwt.OperatorClaims{jwt.NewOperatorClaims(topKey)}, accounts
	}
	return o
}

// file returns a file of credentials, as nsc writes it.
func (o *operator) file(t testing.TB) string {
	t.Helper()
	text, err := jwt.FormatUserConfig(o.token, []byte(o.seed))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "user.creds")
	write(t, path, string(text))
	return path
}

// start starts the server; listening is whether others can connect.
func (n *natsServer) start(listening bool, auth ...nats.Option) {
	n.t.Helper()
	opts := n.opts
	opts.DontListen = !listening
	srv, err := server.NewServer(&opts)
	if err != nil {
		n.t.Fatal(err)
	}
	srv.Start()
	n.srv = srv
	if !srv.ReadyForConnections(patience) {
		n.t.Fatal("the nats-server does not become ready")
	}
	if len(auth) == 0 {
		auth = []nats.Option{nats.UserInfo("me", natsPassword)}
	}
	n.conn, err = nats.Connect("", append(auth, nats.InProcessServer(srv), nats.NoReconnect())...)
	if err != nil {
		n.t.Fatal(err)
	}
}

// stop ends the server; start brings it back.
func (n *natsServer) stop() {
	if n.srv == nil {
		return
	}
	n.conn.Close()
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
	n.srv = nil
}

// publish sends a message to a subject, at most once.
func (n *natsServer) publish(subject, text string) {
	n.t.Helper()
	if err := n.conn.Publish(subject, []byte(text)); err != nil {
		n.t.Fatal(err)
	}
	if err := n.conn.FlushTimeout(patience); err != nil {
		n.t.Fatal(err)
	}
}

// stream makes a stream, or another one of its name.
func (n *natsServer) stream(name string, again bool, subjects ...string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if again {
		if err := n.jetStream().DeleteStream(ctx, name); err != nil {
			n.t.Fatal(err)
		}
	}
	if _, err := n.jetStream().CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: subjects}); err != nil {
		n.t.Fatal(err)
	}
}

// store sends a message and returns when the server stored it, in ms.
func (n *natsServer) store(stream, subject, text string) int64 {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	js := n.jetStream()
	ack, err := js.Publish(ctx, subject, []byte(text))
	if err != nil {
		n.t.Fatal(err)
	}
	st, err := js.Stream(ctx, stream)
	if err != nil {
		n.t.Fatal(err)
	}
	m, err := st.GetMsg(ctx, ack.Sequence)
	if err != nil {
		n.t.Fatal(err)
	}
	return m.Time.UnixMilli()
}

func (n *natsServer) jetStream() jetstream.JetStream {
	n.t.Helper()
	js, err := jetstream.New(n.conn, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		n.t.Fatal(err)
	}
	return js
}

// listeners returns how many subscriptions to a subject there are, of others.
func (n *natsServer) listeners(subject string) int {
	n.t.Helper()
	subs, err := n.srv.Subsz(&server.SubszOptions{Subscriptions: true, Test: subject})
	if err != nil {
		n.t.Fatal(err)
	}
	return subs.Total
}

// consumers returns how many consumers a stream has.
func (n *natsServer) consumers(stream string) int {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	st, err := n.jetStream().Stream(ctx, stream)
	if err != nil {
		n.t.Fatal(err)
	}
	return st.CachedInfo().State.Consumers
}

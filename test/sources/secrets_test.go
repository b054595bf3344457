package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source/builtin"
	"github.com/chartd/chartd/pkg/wire"
)

// hidden finds the word that is in every secret of these tests, as it is, in hex
// and in base64, wherever in a group of three it begins.
func hidden() *regexp.Regexp {
	return regexp.MustCompile(`.{0,120}((?i:hunter2)|(?i:68756e74657232)|aHVudGVyM|odW50ZXIy|h1bnRlcj).{0,120}`)
}

// secretSettings returns, by kind, sources with a secret wherever one may stand.
// ADDR is where nobody, or somebody who repeats what was sent, answers; FILE holds
// a secret.
func secretSettings() map[string][]string {
	asking := func(rest string) []string {
		return []string{
			"url: 'http://u:hunter2p%22%C3%A9@ADDR/x?key=hunter2q%22%2F', headers: {X-Key: 'hunter2h\"\\<é', X-Other: 'Token hunter2o'}" + rest,
			"url: 'http://hunter2t@ADDR/x?token=hunter2q'" + rest,
			"url: 'http://ADDR/x?token=hunter2q&a=%zz', headers: {X-Key: hunter2h}, basic_auth: {username: u, password: hunter2b}" + rest,
			"url: 'http://ADDR/x?token=hunter2q', authorization: {credentials: hunter2c}" + rest,
			"url: 'http://ADDR/', authorization: {credentials_file: FILE}" + rest,
			"url: 'http://ADDR/', basic_auth: {username: u, password_file: FILE}" + rest,
			"url: 'https://ADDR/', headers: {X-Key: hunter2h}, tls_config: {key_file: FILE, cert_file: FILE}" + rest,
		}
	}
	return map[string][]string{
		"exec": {
			`shell: 'echo "$WORD at ADDR" >&2; exit 3', env: {WORD: 'hunter2e" x'}`,
			`shell: 'echo a,b; echo "$WORD,$WORD"; printf "%s" "{\"a\":\"$WORD"; exit 1', env: {WORD: hunter2e-0123456789-0123456789-0123456789-0123456789}, format: csv`,
			"command: [/nonexistent], env: {WORD: hunter2e}",
		},
		"file":   {}, // nothing of it is secret
		"host":   {},
		"http":   asking(", interval: 100ms"),
		"influx": {}, // the tokens of those who send samples are those of auth
		"kafka": {
			"brokers: [ADDR], topics: [t], timeout: 200ms, sasl: {mechanism: PLAIN, username: u, password: hunter2k}",
			"brokers: [ADDR], topics: [t], timeout: 200ms, sasl: {mechanism: SCRAM-SHA-256, username: u, password: hunter2k}",
		},
		"mqtt": {
			"broker: 'mqtt://ADDR', topics: [t], username: u, password: hunter2m",
			"broker: 'mqtt://ADDR', version: '3.1.1', topics: [t], username: u, password: hunter2m",
			"broker: 'ws://ADDR/x?key=hunter2q', version: '3.1.1', topics: [t], username: u, password: hunter2m",
		},
		"nats": {
			"servers: ['nats://u:hunter2p%22@ADDR'], subjects: [s], timeout: 200ms",
			"servers: ['nats://hunter2p@ADDR'], subjects: [s], timeout: 200ms",
			"servers: ['nats://ADDR', 'nats://ADDR'], subjects: [s], user: u, password: 'hunter2n\"', timeout: 200ms",
			"servers: ['nats://ADDR'], subjects: [s], token: hunter2t, timeout: 200ms",
			"servers: ['nats://ADDR'], subjects: [s], creds: FILE, timeout: 200ms",
			"servers: ['nats://ADDR'], subjects: [s], nkey: FILE, timeout: 200ms",
		},
		"otlp":         {},
		"prometheus":   asking(", queries: {a: b}"),
		"push":         {},
		"redis":        {"url: 'redis://u:hunter2p%22@ADDR/0', streams: [s]", "url: 'redis://ADDR/0', username: u, password: hunter2r, streams: [s], channels: [c]"},
		"remote_write": {},
		"scrape":       asking(""),
		"sql": {
			"dsn: 'postgres://u:hunter2p%22@ADDR/db?sslmode=disable', query: SELECT 1, timeout: 200ms",
			"dsn: 'postgres://u@ADDR/db?sslmode=disable&password=hunter2d', query: SELECT 1, timeout: 200ms",
			"dsn: 'mysql://u:hunter2p@ADDR/db?allowCleartextPasswords=true', query: SELECT 1, timeout: 200ms",
			"dsn: 'sqlite:/nonexistent/x?password=hunter2s', query: SELECT 1",
		},
		"statsd": {},
	}
}

// speakers returns where the sources of a kind are sent: to nobody, to somebody
// who knows no protocol, and to those who know that one.
func speakers(t *testing.T) func(kind string) []string {
	dead, nonsense := address(t), listen(t, echo)
	web := echoHTTP(t)
	own := map[string][]string{
		"exec": {}, "http": web, "scrape": web, "prometheus": web, "kafka": {newEchoKafka(t)},
		"mqtt": {listen(t, echoMQTT), web[0], web[4]}, "nats": {listen(t, echoNATS)}, "redis": {listen(t, echoRedis)},
		"sql": {listen(t, echoPostgres), listen(t, echoMySQL)},
	}
	return func(kind string) []string { return append([]string{dead, nonsense}, own[kind]...) }
}

// TestSecretsStaySecret runs a whole daemon with a secret in each setting that may
// hold one, of each kind of source, of webhooks, scripts and auth, against nobody,
// against nonsense and against those who repeat all that they were sent; lets
// everything fail, reloads, and searches everything that the daemon says.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const token, dead = "hunter2-root-0123456789", "127.0.0.1:1"
	file := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(file, []byte("hunter2f"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases, addrs := secretSettings(), speakers(t)
	for _, kind := range builtin.Kinds().Kinds() {
		if _, ok := cases[kind]; !ok {
			t.Errorf("kind %s has no case: add its settings that hold secrets to secretSettings, or an empty list if none can", kind)
		}
	}
	search := hidden()
	var sources, charts strings.Builder
	var names []string
	for kind, list := range cases {
		for i, settings := range list {
			for j, addr := range addrs(kind) {
				if strings.HasPrefix(settings, "broker: 'mqtt:") && j > 2 {
					continue // those are for WebSockets
				}
				name := fmt.Sprintf("%s_%d_%d", kind, i, j)
				names = append(names, name)
				text := fmt.Sprintf("  %s: {type: %s, %s}\n", name, kind, strings.NewReplacer("ADDR", addr, "FILE", file).Replace(settings))
				sources.WriteString(text)
				// The same with a mistake beside the secret.
				_, err := daemon.Parse("sources:\n" + strings.Replace(text, "{type", "{nonsense: 1, type", 1))
				if err == nil || search.MatchString(err.Error()) {
					t.Errorf("%s: validate says %v", name, err)
				}
			}
		}
	}
	web := echoHTTP(t)
	for i, addr := range append(web, dead) {
		fmt.Fprintf(&charts, "  hook%d: {series: [{metric: m}], callbacks: [{on: x, webhook: {url: 'http://u:hunter2u@%s/hunter2w?key=hunter2k', allow_private: true, retries: 0, secret: hunter2hunter2hunter2, headers: {X-Key: 'Bearer hunter2h\"'}}}]}\n", i, addr)
	}
	charts.WriteString("  script0: {series: [{metric: m}], callbacks: [{on: x, script: \"key = 'hunter2x'\\ndef callback(ctx):\\n  fail('no')\\n\"}]}\n")
	charts.WriteString("  script1: {series: [{metric: m}], callbacks: [{on: x, script: \"key = 'hunter2x'\\ndef callback(ctx):\\n  return {}[key[:3]]\\n\"}]}\n")
	yaml := fmt.Sprintf(`
listen: 127.0.0.1:0
server: {admin: 127.0.0.1:0}
auth:
  tokens: [{name: root, token: %s, admin: true, read: ["*"], callback: ["*"]}]
  jwt: {secret: hunter2-0123456789-0123456789-0123456789, issuer: x, audience: y}
  links: {secret: hunter2-1123456789-0123456789-0123456789, old_secrets: [hunter2-2123456789-0123456789-0123456789]}
  ingest: [{name: in, token: hunter2-in-0123456789}]
sources:
%scharts:
%s`, token, &sources, &charts)
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	var said trace
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), &said, zap.DebugLevel))
	d, err := daemon.New(cfg, daemon.WithLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	searched := func(where, text string) {
		t.Helper()
		for _, at := range search.FindAllString(text, 5) {
			t.Errorf("%s: %s", where, at)
		}
	}
	defer func() {
		stop()
		running.Wait()
		searched("log", said.String())
	}()
	<-d.Ready()
	admin := "http://" + d.AdminAddr().String() + "/"
	heed := regexp.MustCompile(`chartd_source_(?:errors|rejected)_total\{kind="\w+",source="(\w+)"\} [1-9]`)
	quiet := names
	t.Cleanup(func() {
		if len(quiet) > 0 {
			t.Logf("these have not failed: %v", quiet)
		}
	})
	livetest.Eventually(t, "every source fails", func() bool {
		metrics := askAs(t, admin+"metrics", token)
		failed := map[string]bool{}
		for _, m := range heed.FindAllStringSubmatch(metrics, -1) {
			failed[m[1]] = true
		}
		quiet = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return failed[name] })
		return len(quiet) == 0
	})
	raise(t, d.URL(), token, cfg, searched)
	look := func() {
		t.Helper()
		for _, path := range []string{"", "c/hook0", "metrics", "api/v1/sources", "api/v1/charts", "charts/hook0.svg", "charts/hook0.png", "charts/script1.svg", "healthz", "readyz", "nothing"} {
			searched(path, askAs(t, d.URL()+path, token))
		}
		for _, path := range []string{"metrics", "debug/pprof/goroutine?debug=2", "healthz", "readyz"} {
			searched("admin: "+path, askAs(t, admin+path, token))
		}
	}
	look()
	if all := askAs(t, d.URL()+"api/v1/sources", token); strings.Count(all, "[secret]") < 10 {
		t.Errorf("hardly anybody repeated a secret, so that little was tried: %s", all)
	}
	// Other secrets, and a mistake: what the old ones led to is still there.
	changed, err := daemon.Parse(strings.ReplaceAll(strings.ReplaceAll(yaml, "hunter2", "HUNTER2"), token, strings.ReplaceAll(token, "hunter2", "HUNTER2")))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Reload(changed); err != nil {
		searched("reload", err.Error())
		t.Fatal("the reload is refused")
	}
	searched("after a reload", askAs(t, d.URL()+"api/v1/sources", strings.ReplaceAll(token, "hunter2", "HUNTER2")))
	searched("after a reload", askAs(t, admin+"metrics", ""))
}

// raise raises a callback of every chart, and searches what its caller is told.
func raise(t *testing.T, base, token string, cfg *config.Config, searched func(where, text string)) {
	t.Helper()
	c := livetest.Dial(t, base)
	defer c.Cut()
	c.Send(wire.Hello{Token: token})
	livetest.Until[wire.Welcome](c, nil)
	for _, spec := range cfg.Charts {
		name := spec.Name
		v := c.Sub(wire.Sub{Chart: name, Events: true}).V
		id := c.ID()
		c.Send(wire.Callback{ID: id, V: v, Arg: []byte(`"x"`)})
		failed := false
		for !failed {
			m := c.Next()
			searched("callback of "+name, fmt.Sprintf("%+v", m))
			f, ok := m.(wire.Failure)
			failed = ok && f.ID == id
		}
	}
}

// TestSecretsHaveTheirType: what is called like a secret is of a type that
// nothing shows.
func TestSecretsHaveTheirType(t *testing.T) {
	called := regexp.MustCompile(`(?i)(^|_)(password|passwd|secrets?|token|credentials|dsn|authorization|api_?key|headers|url|servers|env)$`)
	concealed := reflect.TypeFor[interface{ Concealed() }]()
	seen := 0
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			ft := f.Type
			for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice || ft.Kind() == reflect.Map {
				ft = ft.Elem()
			}
			switch {
			case ft.Implements(concealed):
				seen++
			case ft.Kind() == reflect.Struct && strings.Contains(ft.PkgPath(), "chartd/pkg/"):
				walk(ft, path+"."+name)
			case called.MatchString(name) && ft.Kind() == reflect.String:
				t.Errorf("%s.%s is a %v, which is shown; make it a secret.Text or a secret.URL", path, name, f.Type)
			}
		}
	}
	for _, kind := range builtin.Kinds().Kinds() {
		cfg, err := builtin.Kinds().New(kind)
		if err != nil {
			t.Fatal(err)
		}
		walk(reflect.TypeOf(cfg).Elem(), kind)
	}
	walk(reflect.TypeFor[config.Config](), "")
	if seen < 20 || !reflect.TypeFor[secret.URL]().Implements(concealed) {
		t.Errorf("only %d secrets were found", seen)
	}
}

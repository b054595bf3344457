package auth

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"go.yaml.in/yaml/v4"

	"github.com/chartd/chartd/pkg/secret"
)

// TestSecretNeverShows prints, encodes and logs a section with secrets in
// every way there is.
func TestSecretNeverShows(t *testing.T) {
	cfg := fullConfig(t)
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out = append(out, fmt.Sprintf(verb, cfg), fmt.Sprintf(verb, &cfg), fmt.Sprintf(verb, cfg.Links.Secret), fmt.Sprintf(verb, cfg.Links.OldSecrets))
	}
	j, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("x", zap.Any("auth", cfg), zap.Reflect("r", cfg.Tokens), zap.Stringer("s", cfg.JWT.Secret))
	for _, e := range logs.All() {
		line, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(e.Entry, e.Context)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line.String())
	}
	gate := newGate(t, cfg, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		out = append(out, fmt.Sprintf(verb, gate))
	}
	out = append(out, string(j), string(y), fmt.Sprint(cfg.Validate()))
	for _, text := range out {
		for _, hidden := range []string{wallToken, adminToken, ingestToken, hmacSecret, linkSecret, oldSecret} {
			for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), strings.Trim(fmt.Sprintf("%d", []byte(hidden)), "[]")} {
				if strings.Contains(text, form) {
					t.Errorf("a secret shows in %s", text)
				}
			}
		}
	}
	if !strings.Contains(string(j), "[secret]") || !strings.Contains(string(y), "[secret]") {
		t.Errorf("what stands for a secret is missing in %s and %s", j, y)
	}
	if s := secret.Text("").String(); s != "" {
		t.Errorf("no secret is %q", s)
	}
}

// fullConfig returns a section that uses everything.
func fullConfig(t testing.TB) Config {
	t.Helper()
	cfg := jwtConfig(t, &privateKeys().rsa.PublicKey)
	cfg.JWT.Secret = hmacSecret
	cfg.Tokens = []Token{
		{Name: "wall", Token: wallToken, Access: Access{Read: []string{"cpu", "rack-*"}, Callback: []string{"cpu"}}},
		{Name: "boss", Token: adminToken, Admin: true},
	}
	cfg.Ingest = []IngestToken{{Name: "telegraf", Token: ingestToken}}
	cfg.Links = Links{Secret: linkSecret, OldSecrets: []secret.Text{oldSecret}, Revoked: []string{"revoked1"}}
	cfg.Anonymous.Read = []string{"status"}
	return cfg
}

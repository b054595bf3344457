package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
)

const (
	linkSecret = "0123456789abcdef0123456789abcdef"
	signed     = `
listen: ":9000"
auth: {links: {secret: "${LINK_SECRET}"}}
charts:
  cpu: {title: "CPU of <$host>", vars: {host: web1}, size: [640, 320], series: [{metric: m}]}
`
)

// TestSign holds that what the command writes is what a server with the same
// secret believes, and what the flags say is what it allows.
func TestSign(t *testing.T) {
	file, env := writeFile(t, "c.yaml", signed), []string{"LINK_SECRET=" + linkSecret}
	got := chartd(t, env, "", "sign", "--config", file, "--chart", "cpu", "--for", "30d", "--origin", "https://example.com", "--origin", "https://*.example.org",
		"--view", `{"window":"5m","vars":{"host":"web2"}}`, "--window-max", "10m", "--sessions", "3", "--url", "https://charts.example.com/base/")
	id := regexp.MustCompile(`^chartd: the id of this link is ([a-z0-9]{12}), and it expires on [^\n]+\n$`).FindStringSubmatch(got.err)
	if got.code != 0 || id == nil {
		t.Fatalf("%+v", got)
	}
	u, err := url.Parse(strings.TrimSpace(got.out))
	if err != nil || u.Host != "charts.example.com" || u.Path != "/base/c/cpu" || strings.Count(got.out, "\n") != 1 {
		t.Fatalf("it writes %q: %v", got.out, err)
	}
	cfg := auth.DefaultConfig()
	cfg.Links.Secret = linkSecret
	gate, err := auth.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := gate.Identify(t.Context(), u.Query().Get("link"), auth.Visitor{Origin: "https://a.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if grant.ID() != "link:"+id[1] || grant.MaxSessions() != 3 || !grant.MayRead("cpu") || len(grant.Origins()) != 2 {
		t.Errorf("%+v", grant)
	}
	if left := time.Until(grant.Expires()); left > 30*24*time.Hour || left < 30*24*time.Hour-time.Minute {
		t.Errorf("it is good for %v", left)
	}
	spec := plotting.DefaultSpec()
	spec.Vars = map[string]plotting.Var{"host": {Default: "web1"}}
	v, err := grant.View(&spec, "cpu")
	if err != nil || v.Window.String() != "5m" || v.Vars()["host"] != "web2" {
		t.Errorf("the view is %+v, %v", v, err)
	}
	if strings.Contains(got.out+got.err, linkSecret) {
		t.Error("the secret is written")
	}
}

func TestSignTag(t *testing.T) {
	file, env := writeFile(t, "c.yaml", signed), []string{"LINK_SECRET=" + linkSecret, "CHARTD_CONFIG="}
	got := chartd(t, env, "", "sign", "--config", file, "--chart", "cpu", "--tag", "--view", `{"vars":{"host":"\"><script>"}}`)
	if got.code != 0 {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{
		`<iframe src="http://localhost:9000/c/cpu?link=chartd1_`, `title="CPU of &lt;&#34;&gt;&lt;script&gt;&gt;"`, `width="640" height="320"`,
		`<script type="module" src="http://localhost:9000/chartd.js"></script>`, `<chartd-chart src="cpu" link="chartd1_`,
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%s\nis not in\n%s", want, got.out)
		}
	}
	if strings.Count(got.out, "<script") != 1 {
		t.Errorf("a title became markup:\n%s", got.out)
	}
}

func TestSignRefuses(t *testing.T) {
	file, env := writeFile(t, "c.yaml", signed), []string{"LINK_SECRET=" + linkSecret}
	none := writeFile(t, "none.yaml", "charts: {cpu: {series: [{metric: m}]}}\n")
	short := writeFile(t, "short.yaml", "auth: {links: {secret: hunter2}}\ncharts: {cpu: {series: [{metric: m}]}}\n")
	many, err := json.Marshal(map[string]any{"hidden": []string{strings.Repeat("x", 300)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file string
		args []string
		code int
		err  string
	}{
		{file, nil, 2, "want --chart"},
		{file, []string{"cpu"}, 2, "--chart"},
		{file, []string{"--chart", "cpuu"}, 1, `did you mean "cpu"?`},
		{file, []string{"--chart", "cpu", "--for", "0"}, 2, "--for"},
		{file, []string{"--chart", "cpu", "--for", "soon"}, 2, "is not a duration"},
		{file, []string{"--chart", "cpu", "--for", "9000d"}, 1, "ten years"},
		{file, []string{"--chart", "cpu", "--origin", "example.com"}, 1, "https://example.com"},
		{file, []string{"--chart", "cpu", "--view", "host=web1"}, 2, "want JSON"},
		{file, []string{"--chart", "cpu", "--view", "{}{}"}, 2, "one JSON object"},
		{file, []string{"--chart", "cpu", "--view", `{"wndow":"5m"}`}, 2, "wndow"},
		{file, []string{"--chart", "cpu", "--view", `{"vars":{"hst":"a"}}`}, 2, `no var "hst"`},
		{file, []string{"--chart", "cpu", "--view", string(many)}, 2, "at most 256"},
		{file, []string{"--chart", "cpu", "--view", `{"paused":true}`}, 1, "cannot be pinned"},
		{file, []string{"--chart", "cpu", "--window-max", "1ms"}, 1, "the largest window"},
		{file, []string{"--chart", "cpu", "--sessions", "-1"}, 1, "0 is any number"},
		{file, []string{"--chart", "cpu", "--url", "charts.example.com"}, 2, "--url"},
		{file, []string{"--chart", "cpu", "--url", "https://a.example?x"}, 2, "--url"},
		{none, []string{"--chart", "cpu"}, 1, "auth.links.secret"},
		{short, []string{"--chart", "cpu"}, 1, "has 7 bytes"},
	} {
		got := chartd(t, env, "", append([]string{"sign", "--config", tt.file}, tt.args...)...)
		if got.code != tt.code || got.out != "" || !strings.Contains(got.err, tt.err) || strings.Contains(got.err, "hunter2") {
			t.Errorf("%q: %+v; want exit code %d and %q", tt.args, got, tt.code, tt.err)
		}
	}
	if got := chartd(t, nil, "", "sign", "--config", file, "--chart", "cpu"); got.code != 1 || !strings.Contains(got.err, "LINK_SECRET is not set") {
		t.Errorf("without the variable: %+v", got)
	}
}

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct {
		given, listen string
		tls           bool
		want          string
	}{
		{"", ":8080", false, "http://localhost:8080"},
		{"", "127.0.0.1:8443", true, "https://localhost:8443"},
		{"https://charts.example.com", ":8080", false, "https://charts.example.com"},
		{"http://[::1]:8080/charts/", ":8080", true, "http://[::1]:8080/charts"},
		{"ftp://charts.example.com", ":8080", false, ""},
		{"https://user:password@charts.example.com", ":8080", false, ""},
		{"https://charts.example.com/#a", ":8080", false, ""},
	} {
		got, err := baseURL(tt.given, tt.listen, tt.tls)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%+v: %q, %v", tt, got, err)
		}
	}
}

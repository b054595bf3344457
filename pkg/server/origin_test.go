package server

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	for _, tc := range []struct {
		name    string
		origin  string
		allowed []string
		ok      bool
		secure  bool
	}{
		{"no browser", "", nil, true, false},
		{"same host", "http://chart.example:8080", nil, true, false},
		{"same host behind TLS", "https://chart.example:8080", nil, true, false},
		{"same host in capitals", "http://CHART.example:8080", nil, true, false},
		{"other port", "http://chart.example:9090", nil, false, false},
		{"other host", "https://evil.example", nil, false, false},
		{"opaque", "null", nil, false, false},
		{"garbage", "::not a url::", nil, false, false},
		{"listed", "https://a.example", []string{"https://b.example", "https://a.example"}, true, false},
		{"listed with the other scheme", "http://a.example", []string{"https://a.example"}, false, false},
		{"listed with a port", "https://a.example:444", []string{"https://a.example"}, false, false},
		{"subdomain", "https://x.a.example", []string{"https://*.a.example"}, true, false},
		{"two levels down", "https://y.x.a.example", []string{"https://*.a.example"}, true, false},
		{"the domain of a wildcard", "https://a.example", []string{"https://*.a.example"}, false, false},
		{"ends alike", "https://eviia.example", []string{"https://*.a.example"}, false, false},
		{"begins alike", "https://a.example.evil.example", []string{"https://a.example"}, false, false},
		{"any", "https://evil.example", []string{"*"}, true, false},
		{"any, opaque", "null", []string{"*"}, true, false},
		{"opaque and a list", "null", []string{"https://a.example"}, false, false},
		{"same host over TLS", "https://chart.example:8080", nil, true, true},
		{"same host over TLS, a page without", "http://chart.example:8080", nil, false, true},
		{"a listed page without TLS", "http://a.example", []string{"http://a.example"}, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rules []originRule
			for _, a := range tc.allowed {
				r, err := parseOrigin(a)
				if err != nil {
					t.Fatal(err)
				}
				rules = append(rules, r)
			}
			r := httptest.NewRequest("GET", "http://chart.example:8080/ws", nil)
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			}
			err := checkOrigin(r, rules, tc.secure)
			if (err == nil) != tc.ok {
				t.Fatalf("got %v, want ok=%v", err, tc.ok)
			}
			if err != nil && (!strings.Contains(err.Error(), tc.origin) || !strings.Contains(err.Error(), "server.origins")) {
				t.Fatalf("%q names neither the origin nor the setting", err)
			}
		})
	}
}

func TestUsualPorts(t *testing.T) {
	for _, tc := range []struct {
		origin, host string
		ok           bool
	}{
		{"https://a.example", "a.example:443", true},
		{"https://a.example:443", "a.example", true},
		{"http://a.example", "a.example:80", true},
		{"http://a.example", "a.example:443", false},
		{"https://a.example", "a.example:80", false},
		{"https://[::1]", "[::1]:443", true},
	} {
		r := httptest.NewRequest("GET", "/ws", nil)
		r.Host = tc.host
		r.Header.Set("Origin", tc.origin)
		if err := checkOrigin(r, nil, false); (err == nil) != tc.ok {
			t.Errorf("%s on %s: %v", tc.origin, tc.host, err)
		}
	}
}

// Whatever the strings are, another host's page gets in only by a rule that
// names its host, or the end of it.
func FuzzOrigin(f *testing.F) {
	f.Add("https://a.example", "https://*.a.example", "chart.example")
	f.Add("https://x.a.example", "https://*.a.example", "chart.example")
	f.Add("null", "https://a.example", "")
	f.Fuzz(func(t *testing.T, origin, rule, host string) {
		o, err := parseOrigin(rule)
		if err != nil || o.any || o.host == "" {
			return
		}
		r := httptest.NewRequest("GET", "/ws", nil)
		r.Host = host
		r.Header.Set("Origin", origin)
		if checkOrigin(r, []originRule{o}, false) != nil || checkOrigin(r, nil, false) == nil {
			return
		}
		if !strings.Contains(strings.ToLower(origin), o.host) {
			t.Fatalf("origin %q got in by rule %q", origin, rule)
		}
	})
}

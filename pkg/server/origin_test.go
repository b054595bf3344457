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
	}{
		{"no browser", "", nil, true},
		{"same host", "http://chart.example:8080", nil, true},
		{"same host behind TLS", "https://chart.example:8080", nil, true},
		{"same host in capitals", "http://CHART.example:8080", nil, true},
		{"other port", "http://chart.example:9090", nil, false},
		{"other host", "https://evil.example", nil, false},
		{"opaque", "null", nil, false},
		{"garbage", "::not a url::", nil, false},
		{"listed", "https://a.example", []string{"https://b.example", "https://a.example"}, true},
		{"listed with the other scheme", "http://a.example", []string{"https://a.example"}, false},
		{"listed with a port", "https://a.example:444", []string{"https://a.example"}, false},
		{"subdomain", "https://x.a.example", []string{"https://*.a.example"}, true},
		{"two levels down", "https://y.x.a.example", []string{"https://*.a.example"}, true},
		{"the domain of a wildcard", "https://a.example", []string{"https://*.a.example"}, false},
		{"ends alike", "https://eviia.example", []string{"https://*.a.example"}, false},
		{"begins alike", "https://a.example.evil.example", []string{"https://a.example"}, false},
		{"any", "https://evil.example", []string{"*"}, true},
		{"any, opaque", "null", []string{"*"}, true},
		{"opaque and a list", "null", []string{"https://a.example"}, false},
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
			err := checkOrigin(r, rules)
			if (err == nil) != tc.ok {
				t.Fatalf("got %v, want ok=%v", err, tc.ok)
			}
			if err != nil && (!strings.Contains(err.Error(), tc.origin) || !strings.Contains(err.Error(), "server.origins")) {
				t.Fatalf("%q names neither the origin nor the setting", err)
			}
		})
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
		if checkOrigin(r, []originRule{o}) != nil || checkOrigin(r, nil) == nil {
			return
		}
		if !strings.Contains(strings.ToLower(origin), o.host) {
			t.Fatalf("origin %q got in by rule %q", origin, rule)
		}
	})
}

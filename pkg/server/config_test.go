package server

import (
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/quantity"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string // a part of the one problem
	}{
		{"origin without scheme", func(c *Config) { c.Origins = []string{"https://a.example", "b.example"} }, `origins[1]: "b.example" is not an origin; write it as "https://example.com"`},
		{"origin with a path", func(c *Config) { c.Origins = []string{"https://a.example/x"} }, `origins[0]: "https://a.example/x" has more than a scheme, a host and a port`},
		{"origin with a star inside", func(c *Config) { c.Origins = []string{"https://a*.example"} }, `"*" that is not the whole first label`},
		{"proxy", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "proxy"} }, `trusted_proxies[1]: "proxy" is not an address or a network; write it as "10.0.0.7"`},
		{"frame ancestor smuggling a directive", func(c *Config) { c.FrameAncestors = []string{"*; script-src *"} }, `frame_ancestors[0]: `},
		{"no connections", func(c *Config) { c.MaxConnections = 0 }, "max_connections: is 0; at least 1"},
		{"no connections per address", func(c *Config) { c.MaxConnectionsPerAddress = -1 }, "max_connections_per_address: is -1; at least 1"},
		{"no pictures", func(c *Config) { c.MaxPictures = 0 }, "max_pictures: is 0; at least 1"},
		{"message too short", func(c *Config) { c.MaxMessage = 10 }, "max_message: is 10; 1KiB to 16MiB"},
		{"proxy header", func(c *Config) { c.ProxyHeader = "via" }, `proxy_header: no header "via"; `},
		{"half a certificate", func(c *Config) { c.TLS.Cert = "a" }, "tls: has one of cert and key; name both"},
		{"hsts", func(c *Config) { c.TLS.HSTS = -1 }, "tls.hsts: is -1ns; 0 to"},
		{"admin on all addresses", func(c *Config) { c.Admin = ":9090" }, `admin: ":9090" is every address of this machine; write "127.0.0.1:9090"`},
		{"admin without port", func(c *Config) { c.Admin = "localhost" }, `admin: "localhost" is not an address with a port`},
		{"admin with a bad port", func(c *Config) { c.Admin = "localhost:x" }, `admin: "x" is not a port`},
		{"no upgrades", func(c *Config) { c.MaxUpgradesPerSecond = 0 }, "max_upgrades_per_second: is 0; at least 1"},
		{"no requests", func(c *Config) { c.MaxRequests = 0 }, "max_requests: is 0; at least 1"},
		{"no pictures a second", func(c *Config) { c.PicturesPerSecond = 0 }, "pictures_per_second: is 0; at least 1"},
		{"message timeout", func(c *Config) { c.MessageTimeout = 0 }, "message_timeout: is 0; 100ms to 1h"},
		{"heartbeat", func(c *Config) { c.Heartbeat = quantity.Duration(1e6) }, "heartbeat: is 1ms; 1s to 1h"},
		{"write timeout", func(c *Config) { c.WriteTimeout = 0 }, "write_timeout: is 0; 100ms to 1h"},
		{"request timeout", func(c *Config) { c.RequestTimeout = quantity.Duration(24 * 3600e9) }, "request_timeout: is 1d; 1s to 1h"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := DefaultConfig()
			tc.change(&c)
			ps := c.Validate()
			if len(ps) != 1 || !strings.Contains(ps[0].Error(), tc.want) {
				t.Fatalf("got %v, want one problem with %q", ps, tc.want)
			}
		})
	}
}

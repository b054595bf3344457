package host

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v4/net"
)

func (s *Source) readNetwork(ctx context.Context, r *reading) error {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return err
	}
	names := make(map[string]bool, len(all))
	for _, c := range all {
		names[c.Name] = true
	}
	var in, out float64
	var any bool
	for _, c := range all {
		if isLoopback(c.Name) {
			continue
		}
		received, ok := s.rates.next("in "+c.Name, c.BytesRecv, r.at)
		sent, ok2 := s.rates.next("out "+c.Name, c.BytesSent, r.at)
		if !ok || !ok2 {
			continue
		}
		if s.cfg.PerInterface {
			r.add("host_interface_bytes_per_second", received, "direction", "in", "interface", c.Name)
			r.add("host_interface_bytes_per_second", sent, "direction", "out", "interface", c.Name)
		}
		if isOutside(c.Name, names) {
			in, out, any = in+received, out+sent, true
		}
	}
	if any {
		r.add("host_network_bytes_per_second", in, "direction", "in")
		r.add("host_network_bytes_per_second", out, "direction", "out")
	}
	return nil
}

// isLoopback reports whether an interface leads back to the machine: lo, lo0,
// "Loopback Pseudo-Interface 1".
func isLoopback(name string) bool {
	rest, ok := strings.CutPrefix(name, "lo")
	return ok && strings.Trim(rest, "0123456789") == "" || strings.HasPrefix(name, "Loopback")
}

// isOutside reports whether traffic on an interface should be part of the sum.
// Bridges, tunnels, bonds and the like, and VLANs of another interface, carry
// what is counted a second time on the interface below.
func isOutside(name string, all map[string]bool) bool {
	if parent, _, vlan := strings.Cut(name, "."); vlan && all[parent] {
		return false
	}
	for _, virtual := range []string{
		"veth", "docker", "br-", "virbr", "vnet", "cni", "flannel", "cali", "cilium", "lxc", "podman",
		"tun", "tap", "wg", "utun", "tailscale", "bond", "team", "dummy", "ifb", "sit", "gre", "ip6",
	} {
		if strings.HasPrefix(name, virtual) {
			return false
		}
	}
	return true
}

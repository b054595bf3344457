package webhook

import (
	"context"
	"net/netip"
	"slices"
	"syscall"
)

// fencedPrefixes are the addresses beside those that netip knows by name that
// are no part of the public internet, or lead out of it in disguise.
func fencedPrefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8",        // this network
		"100.64.0.0/10",    // carriers' NAT; some clouds' metadata
		"168.63.129.16/32", // a cloud's metadata, at a public address
		"192.0.0.0/24",     // protocol assignments; a cloud's metadata
		"192.0.2.0/24",     // documentation
		"192.88.99.0/24",   // relays of 6to4
		"198.18.0.0/15",    // measurements
		"198.51.100.0/24",  // documentation
		"203.0.113.0/24",   // documentation
		"240.0.0.0/4",      // reserved; broadcast
		"::/96",            // IPv4 in an old disguise
		"64:ff9b::/96",     // IPv4 behind NAT64
		"64:ff9b:1::/48",   // the same, locally
		"100::/64",         // discarded
		"2001::/32",        // IPv4 behind Teredo
		"2001:db8::/32",    // documentation
		"2002::/16",        // IPv4 behind 6to4
		"3fff::/20",        // documentation
		"fec0::/10",        // site-local
		"::ffff:0:0:0/96",  // IPv4, translated
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// fenced reports whether an address is inside: of this machine, of a private
// network, or of what serves a machine in a cloud.
func fenced(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return !addr.IsGlobalUnicast() || addr.IsPrivate() || // loopback, link-local, multicast and unspecified are not global
		slices.ContainsFunc(fencedPrefixes(), func(p netip.Prefix) bool { return p.Contains(addr) })
}

// fencedError is that a name or an address leads inside.
type fencedError struct{ addr netip.Addr }

// Error implements error.
func (e *fencedError) Error() string {
	return e.addr.String() + " is of this machine or a private network (allow_private)"
}

// fence refuses to connect to addresses that are fenced off. It is asked with
// the address that is dialled, after names were resolved: a name that changes its
// mind gains nothing.
func fence(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if fenced(to.Addr()) {
		return &fencedError{to.Addr()}
	}
	return nil
}

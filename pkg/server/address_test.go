package server

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestBucketOfIPv6IsItsNetwork(t *testing.T) {
	a, b := netip.MustParseAddr("2001:db8:1:2:3::4"), netip.MustParseAddr("2001:db8:1:2:ffff::1")
	if bucket(a) != bucket(b) {
		t.Fatalf("%v and %v are not counted as one", a, b)
	}
	if c := netip.MustParseAddr("2001:db8:1:3::4"); bucket(a) == bucket(c) {
		t.Fatalf("%v and %v are counted as one", a, c)
	}
}

// The census never exceeds its caps, and is empty when all have left.
func TestCensus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maxTotal, maxEach := rapid.IntRange(1, 6).Draw(t, "total"), rapid.IntRange(1, 3).Draw(t, "each")
		addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), {}}
		var c census
		in := map[netip.Addr]int{}
		total := 0
		for _, op := range rapid.SliceOf(rapid.IntRange(0, 5)).Draw(t, "ops") {
			a := addrs[op%3]
			if op < 3 {
				want := ""
				if in[a] >= maxEach {
					want = "address"
				}
				if total >= maxTotal {
					want = "total"
				}
				if got := c.enter(a, maxTotal, maxEach); got != want {
					t.Fatalf("enter: got %q, want %q", got, want)
				}
				if want == "" {
					in[a]++
					total++
				}
			} else if in[a] > 0 {
				c.leave(a)
				in[a]--
				total--
			}
		}
		for a, n := range in {
			for range n {
				c.leave(a)
			}
		}
		if c.total != 0 || len(c.by) != 0 {
			t.Fatalf("all have left, but %d are counted: %v", c.total, c.by)
		}
	})
}

package config

import (
	"fmt"
	"net"
	"strconv"

	"github.com/chartd/chartd/pkg/problem"
)

// listenAddress is the value of `listen`.
type listenAddress string

// Validate checks that it is a host and a port. Whether the port is free shows
// when the server starts.
func (a listenAddress) Validate() []problem.Problem {
	const want = `write ":8080" for every address of this machine, or "127.0.0.1:8080" for this machine alone`
	if _, err := strconv.ParseUint(string(a), 10, 16); err == nil {
		return []problem.Problem{{What: fmt.Sprintf("%q is a port without a colon", string(a)), Want: fmt.Sprintf("write %q", ":"+string(a))}}
	}
	_, port, err := net.SplitHostPort(string(a))
	if err != nil {
		return []problem.Problem{{What: fmt.Sprintf("%q is not an address with a port", string(a)), Want: want}}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return []problem.Problem{{What: fmt.Sprintf("%q is not a port", port), Want: "a number of 0 to 65535"}}
	}
	return nil
}

// CheckListen returns what is wrong with an address that a flag gives in place
// of `listen`.
func CheckListen(addr string) error {
	if ps := listenAddress(addr).Validate(); len(ps) > 0 {
		return ps[0]
	}
	return nil
}

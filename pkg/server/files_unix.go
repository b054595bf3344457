//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may have open; 0 is not known.
func openFiles() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0
	}
	return int(min(uint64(r.Cur), math.MaxInt32)) //nolint:unconvert // it is signed on some systems
}

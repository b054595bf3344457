//go:build !unix

package server

import "net"

// descriptor returns -1: every write waits in a goroutine.
func descriptor(net.Conn) int { return -1 }

// writeNow is not called.
func writeNow(int, []byte) (int, error) { return 0, net.ErrClosed }

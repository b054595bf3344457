//go:build !linux

package server

import "errors"

// poller is for Linux; elsewhere, connections have a reader each.
type poller struct{}

func newPoller() (*poller, error) { return nil, nil }
func (*poller) start()            {}
func (*poller) stop()             {}
func (*poller) add(*conn) error   { return errors.ErrUnsupported }
func (*poller) arm(*conn) error   { return errors.ErrUnsupported }
func (*poller) remove(*conn)      {}

func readNow(int, []byte) (int, error) { return 0, errors.ErrUnsupported }

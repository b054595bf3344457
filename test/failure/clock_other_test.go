//go:build !(linux && amd64)

package failure

import "errors"

func clockable() error { return errors.ErrUnsupported }

func takeClock() (func(seconds int64) error, error) {
	return nil, errors.ErrUnsupported
}

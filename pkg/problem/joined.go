package problem

import "errors"

// Joined returns the errors that errors.Join made one, or err itself; none if
// err is nil.
func Joined(err error) []error {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

package store

import (
	"errors"
	"fmt"
)

// Reasons for which a sample is refused. Append wraps them with the particulars.
var (
	// ErrTooOld refuses a sample from before what the series keeps.
	ErrTooOld = errors.New("sample is too old")
	// ErrTooNew refuses a sample from too far in the future.
	ErrTooNew = errors.New("sample is too far in the future")
	// ErrInfinite refuses a value that no axis can show.
	ErrInfinite = errors.New("value is infinite")
)

// LimitError refuses a sample because a bound of the store is reached. It may
// be accepted later, when old series have been dropped.
type LimitError struct {
	// Setting is the bound's name in the configuration: "store.max_series".
	Setting string
	// Limit is its value.
	Limit int
}

// Error names the setting and its value.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of %s (%d) is reached", e.Setting, e.Limit)
}

// NameError refuses a metric or a label by its name or value.
type NameError struct {
	// Field says which: "metric", "labels", or "labels." and the label's name.
	Field string
	// Problem says what is wrong and what would be right.
	Problem string
}

// Error returns "field: problem".
func (e *NameError) Error() string { return e.Field + ": " + e.Problem }

package source

import "time"

// Status is how one source is doing.
type Status struct {
	// Name is the source's name in the configuration, Kind its kind.
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Up says whether the source runs now, rather than waiting to be retried.
	Up bool `json:"up"`
	// Last is when its newest value was taken in, which a gap is not; zero if none
	// was.
	Last time.Time `json:"last,omitzero"`
	// Samples counts what was taken in, Rejected what could not be read or was
	// refused by the store.
	Samples  uint64 `json:"samples"`
	Rejected uint64 `json:"rejected"`
	// Skipped counts values that the source left out on purpose.
	Skipped uint64 `json:"skipped"`
	// Rate is samples per second over about the last minute.
	Rate float64 `json:"rate"`
	// Errors counts the runs that ended in an error; Error is the last one's
	// text, empty once the source has brought a value again.
	Errors uint64 `json:"errors"`
	Error  string `json:"error,omitempty"`
	// Reject is the last reason for which a sample was rejected.
	Reject string `json:"reject,omitempty"`
}

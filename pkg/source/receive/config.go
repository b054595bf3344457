package receive

import (
	"fmt"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

// DefaultMaxBody is what receivers take where the configuration is silent: some
// 100,000 samples.
const DefaultMaxBody = quantity.Bytes(16 << 20)

const (
	minMaxBody = quantity.Bytes(1 << 10)
	maxMaxBody = quantity.Bytes(1 << 30)
)

// ValidateMaxBody returns what is wrong with the setting max_body.
func ValidateMaxBody(b quantity.Bytes) []problem.Problem {
	if b < minMaxBody || b > maxMaxBody {
		return []problem.Problem{{
			Path: "max_body", What: fmt.Sprintf("%v is out of range", b),
			Want: fmt.Sprintf("a size from %v to %v", minMaxBody, maxMaxBody),
		}}
	}
	return nil
}

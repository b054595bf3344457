package session

import (
	"fmt"

	"github.com/chartd/chartd/pkg/problem"
)

// ChartConfig is the part of a chart's YAML that says whose view callbacks
// change. It stands beside the fields of plotting.Spec.
type ChartConfig struct {
	// Scope says whose view a client's callback changes: "view" (the default)
	// is its caller's alone, "shared" everybody's.
	Scope Scope `yaml:"scope"`
}

// Scope says whose view a client's callback changes.
type Scope string

// The scopes.
const (
	ScopeView   Scope = "view"
	ScopeShared Scope = "shared"
)

// Scopes lists every Scope.
func Scopes() []Scope { return []Scope{ScopeView, ScopeShared} }

// DefaultChartConfig returns the values that ChartConfig has where YAML is
// silent.
func DefaultChartConfig() ChartConfig { return ChartConfig{Scope: ScopeView} }

// Validate returns what is wrong with the scope.
func (c ChartConfig) Validate() []problem.Problem {
	if c.Scope != ScopeView && c.Scope != ScopeShared {
		return []problem.Problem{{Path: "scope", What: fmt.Sprintf("no scope %q", c.Scope), Want: problem.OneOf(c.Scope, Scopes())}}
	}
	return nil
}

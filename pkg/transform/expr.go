package transform

import "github.com/chartd/chartd/pkg/store"

// expr is a compiled expression: a tree that knows no series yet. It is never
// changed.
type expr interface{ isExpr() }

type (
	// number is a constant.
	number float64

	// selector stands for the newest samples of some series.
	selector struct {
		metric   string
		matchers []store.Matcher
	}

	// overRange is a function of what a series did in a range of time.
	overRange struct {
		fn    rangeFunc
		of    *selector
		width int64   // ms
		phi   float64 // of quantile_over_time
	}

	// perValue is a function of one value.
	perValue struct {
		fn func(v float64) float64
		of expr
	}

	// smooth is ema; one of alpha and tau (ms) is 0.
	smooth struct {
		of    expr
		alpha float64
		tau   float64
	}

	// aggregate is one value of many series.
	aggregate struct {
		fn     aggFunc
		of     expr
		labels []string
		drop   bool    // without
		phi    float64 // of quantile
	}

	// binary is an operation of two values, of which one may be a number.
	binary struct {
		op          operation
		left, right expr
		match       matching
	}
)

func (number) isExpr()     {}
func (*selector) isExpr()  {}
func (*overRange) isExpr() {}
func (*perValue) isExpr()  {}
func (*smooth) isExpr()    {}
func (*aggregate) isExpr() {}
func (*binary) isExpr()    {}

// operation says what a binary operation yields; ok is false if that is
// nothing, as where a comparison fails.
type operation func(a, b float64) (v float64, ok bool)

// matching says which series of two sides belong together.
type matching struct {
	on      bool // labels are those that must agree, rather than those that need not
	labels  []string
	many    side     // the side that may have several series for one of the other
	include []string // labels that the one gives to the many
}

type side int

const (
	neither side = iota
	leftSide
	rightSide
)

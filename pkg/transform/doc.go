// Package transform makes series of series: it evaluates an expression in
// PromQL over what the store holds, sample by sample as they come in.
//
// # What it means
//
// Each sample of a derived series has the value that Prometheus 3 gives for an
// instant query at that time: the range of rate(x[1m]) at t is (t-1m, t], a
// series counts with its newest sample for Lookback, and ends at a NaN, which is
// how the store holds one that went stale. There is one sample at each time at
// which one of the series that it is made of has one; rate(x[1m]) thus has as
// many as x, sum(x) as many as there are different times. What Prometheus would
// answer with NaN or an infinite value is a gap.
//
// Supported are, of one series' range, rate, irate, increase, delta, idelta,
// resets, changes, and avg_, min_, max_, sum_, count_, last_ and
// quantile_over_time; of many series, sum, avg, min, max, count and quantile
// with by or without; arithmetic and comparisons of series and numbers with on,
// ignoring, group_left and group_right; of one value, abs, ceil, floor, round,
// sqrt, exp, ln, log2, log10, sgn, clamp, clamp_min and clamp_max; and ema, which
// is chartd's own. Compile says of anything else what it is and where.
//
// # What it costs
//
// A new sample of one series costs the same however long the range is: a counter
// keeps the sum of what it lost by resets, a maximum a monotone queue, a sum two
// numbers that hold it exactly enough for ever. Only quantile_over_time also
// moves memory as large as its range. An aggregation asks each of its members
// whenever one of them has a sample; those that were scraped together are asked
// together.
//
// A late sample, or one that was replaced, is a change of history for what is
// derived, too: it is evaluated once more from there on. So is a series that
// comes in. Only series that depend on each other do so together.
package transform

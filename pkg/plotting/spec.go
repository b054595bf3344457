package plotting

import (
	"github.com/chartd/chartd/pkg/quantity"
)

// Spec is a chart's definition: what it shows and how. It is read from YAML,
// never changed after validation, and shared by every view of the chart.
type Spec struct {
	// Title stands above the chart. "$name" is replaced by the var's value.
	Title string `yaml:"title"`
	// Description says in a sentence what the chart is for; it is read out by
	// screen readers before the current values.
	Description string `yaml:"description"`
	// Kind is how the values are drawn.
	Kind Kind `yaml:"kind"`
	// Stack piles areas up instead of laying them over each other.
	Stack bool `yaml:"stack"`
	// Refresh is the RefreshFrequency: how often a watched view is drawn anew.
	// 0 means only when a callback asks.
	Refresh quantity.Duration `yaml:"refresh"`
	// Window is how much time the x axis spans.
	Window quantity.Duration `yaml:"window"`
	// Size is the default size in px: width, height.
	Size [2]int `yaml:"size"`
	// Y is the value axis.
	Y Axis `yaml:"y"`
	// Series says which series of the store are drawn, in order.
	Series []SeriesSpec `yaml:"series"`
	// Legend places the names: "bottom" (the default), or "none".
	Legend Legend `yaml:"legend"`
	// LegendValues stand beside the names, in this order: "last", "min", "max"
	// and "mean", of all samples in the window, drawn or not.
	LegendValues []LegendValue `yaml:"legend_values"`
	// Gap is how long a series may be silent before its line is broken; 0
	// never breaks it, except at a NaN.
	Gap quantity.Duration `yaml:"gap"`
	// Vars are the chart's variables: "$name" in the title, the description, the
	// names of series, the axis' label and in label values stands for one, and each
	// viewer may pick another value. "host: web1" alone is a default.
	Vars map[string]Var `yaml:"vars"`
	// Missing says what a stack does where one of its series has no value,
	// because it has been silent for longer than Gap (or a minute, without one)
	// or is NaN: "skip" goes on without it, "last" counts its last value,
	// however old, and "gap" breaks the whole stack, as its sum is not known.
	Missing Missing `yaml:"missing"`
	// Thresholds are values that matter: lines across the chart, or the colour
	// of a gauge and a stat that have reached them.
	Thresholds []Threshold `yaml:"thresholds"`
	// Timezone names the zone of the time axis (IANA, as "Europe/Berlin");
	// empty is the server's own.
	Timezone string `yaml:"timezone"`
}

// Axis is the value axis of a chart.
type Axis struct {
	// Min pins the lower end of the axis; without it that follows the data.
	Min *float64 `yaml:"min"`
	// Max pins the upper end of the axis; without it that follows the data.
	Max *float64 `yaml:"max"`
	// Unit is how values are written. Any other text is written behind the
	// number as it stands, such as "rpm".
	Unit Unit `yaml:"unit"`
	// Label stands beside the axis.
	Label string `yaml:"label"`
}

// SeriesSpec selects series of the store by metric and labels. Each match
// becomes one line.
type SeriesSpec struct {
	// Metric is the metric's name. A transform can do without.
	Metric string `yaml:"metric"`
	// Labels must all match: "v" equals, "!=v" differs, "=~re" and "!~re" match
	// an anchored regular expression or do not; "$name" is a var.
	Labels map[string]string `yaml:"labels"`
	// Name is what the legend says: a template in which "{label}" is replaced
	// by the label's value and "{metric}" by the metric. Empty: the labels that
	// tell the matches apart, or the metric.
	Name string `yaml:"name"`
	// Transform is what is drawn in place of the samples: an expression of
	// PromQL, such as "sum by (mode) (rate(node_cpu_seconds_total[1m]))". A
	// selector in it that names no metric, as {} or {code="500"}, stands for
	// metric and labels. "$name" is a var.
	Transform string `yaml:"transform"`
}

// Kind is a kind of chart.
type Kind string

// The kinds of charts.
const (
	Line    Kind = "line"
	Area    Kind = "area"
	Step    Kind = "step"
	Scatter Kind = "scatter"
	Bar     Kind = "bar"
	Gauge   Kind = "gauge"
	Stat    Kind = "stat"
)

// Kinds lists every Kind, in the order in which documents name them.
func Kinds() []Kind { return []Kind{Line, Area, Step, Scatter, Bar, Gauge, Stat} }

// Unit says how values are written.
type Unit string

// The units.
const (
	Short       Unit = "short"       // 1.2k, 3.4M
	Percent     Unit = "percent"     // 0..100
	PercentUnit Unit = "percentunit" // 0..1, written as 0..100 %
	Bytes       Unit = "bytes"       // KiB, MiB
	BytesPerSec Unit = "bytes/s"     // KiB/s
	BitsPerSec  Unit = "bits/s"      // kbit/s
	Seconds     Unit = "seconds"     // µs, ms, s, min, h
	Millis      Unit = "ms"          // like seconds, of milliseconds
	Celsius     Unit = "celsius"     // °C
	PerSec      Unit = "/s"          // 1.2k/s
	None        Unit = "none"        // plain numbers
)

// Units lists every Unit. Any other text is written behind the number as it
// stands, such as "rpm".
func Units() []Unit {
	return []Unit{Short, Percent, PercentUnit, Bytes, BytesPerSec, BitsPerSec, Seconds, Millis, Celsius, PerSec, None}
}

// Legend says where the names of the series stand.
type Legend string

// The places of a legend.
const (
	LegendBottom Legend = "bottom"
	LegendNone   Legend = "none"
)

// Missing says what a stack does where one of its series has no value.
type Missing string

// The ways to treat what is missing.
const (
	MissingSkip Missing = "skip"
	MissingLast Missing = "last"
	MissingGap  Missing = "gap"
)

// Missings lists every Missing.
func Missings() []Missing { return []Missing{MissingSkip, MissingLast, MissingGap} }

// LegendValue is a value that stands beside a name.
type LegendValue string

// The values of a legend.
const (
	LegendLast LegendValue = "last"
	LegendMin  LegendValue = "min"
	LegendMax  LegendValue = "max"
	LegendMean LegendValue = "mean"
)

// LegendValues lists every LegendValue.
func LegendValues() []LegendValue {
	return []LegendValue{LegendLast, LegendMin, LegendMax, LegendMean}
}

// DefaultSpec returns the values that a Spec has where YAML is silent. It is
// the one place that writes them down.
func DefaultSpec() Spec {
	return Spec{
		Kind:    Line,
		Refresh: quantity.Duration(1e9),
		Window:  quantity.Duration(300e9),
		Size:    [2]int{800, 400},
		Y:       Axis{Unit: Short},
		Legend:  LegendBottom,
		Missing: MissingSkip,
	}
}

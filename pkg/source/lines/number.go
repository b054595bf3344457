package lines

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// Unit says what a column's values are, in the words that a chart's y.unit
// knows; any other text is written behind the number.
type Unit string

// The units that are recognized.
const (
	None        Unit = ""
	Percent     Unit = "percent"
	Bytes       Unit = "bytes"
	BytesPerSec Unit = "bytes/s"
	BitsPerSec  Unit = "bits/s"
	Seconds     Unit = "seconds"
	Millis      Unit = "ms"
	Celsius     Unit = "celsius"
	PerSec      Unit = "/s"
)

// suffix is what a unit behind a number means: value times scale is in unit.
type suffix struct {
	text  string
	unit  Unit
	scale float64
}

// suffixes lists the units that may stand behind a number. A bare K, M, G or T
// is what df and du write: powers of 1024, of bytes.
var suffixes = [...]suffix{
	{"%", Percent, 1},
	{"B", Bytes, 1},
	{"bytes", Bytes, 1},
	{"kB", Bytes, 1e3},
	{"KB", Bytes, 1e3},
	{"MB", Bytes, 1e6},
	{"GB", Bytes, 1e9},
	{"TB", Bytes, 1e12},
	{"KiB", Bytes, 1 << 10},
	{"MiB", Bytes, 1 << 20},
	{"GiB", Bytes, 1 << 30},
	{"TiB", Bytes, 1 << 40},
	{"Ki", Bytes, 1 << 10},
	{"Mi", Bytes, 1 << 20},
	{"Gi", Bytes, 1 << 30},
	{"Ti", Bytes, 1 << 40},
	{"K", Bytes, 1 << 10},
	{"M", Bytes, 1 << 20},
	{"G", Bytes, 1 << 30},
	{"T", Bytes, 1 << 40},
	{"k", None, 1e3},
	{"m", None, 1e-3},
	{"B/s", BytesPerSec, 1},
	{"kB/s", BytesPerSec, 1e3},
	{"KB/s", BytesPerSec, 1e3},
	{"MB/s", BytesPerSec, 1e6},
	{"GB/s", BytesPerSec, 1e9},
	{"KiB/s", BytesPerSec, 1 << 10},
	{"MiB/s", BytesPerSec, 1 << 20},
	{"GiB/s", BytesPerSec, 1 << 30},
	{"bit/s", BitsPerSec, 1},
	{"kbit/s", BitsPerSec, 1e3},
	{"Mbit/s", BitsPerSec, 1e6},
	{"Gbit/s", BitsPerSec, 1e9},
	{"bits/sec", BitsPerSec, 1},
	{"Kbits/sec", BitsPerSec, 1e3},
	{"Mbits/sec", BitsPerSec, 1e6},
	{"Gbits/sec", BitsPerSec, 1e9},
	{"ns", Seconds, 1e-9},
	{"us", Seconds, 1e-6},
	{"µs", Seconds, 1e-6},
	{"μs", Seconds, 1e-6},
	{"ms", Seconds, 1e-3},
	{"s", Seconds, 1},
	{"sec", Seconds, 1},
	{"secs", Seconds, 1},
	{"seconds", Seconds, 1},
	{"min", Seconds, 60},
	{"h", Seconds, 3600},
	{"/s", PerSec, 1},
	{"°C", Celsius, 1},
	{"℃", Celsius, 1},
	{"V", "V", 1},
	{"mV", "V", 1e-3},
	{"A", "A", 1},
	{"mA", "A", 1e-3},
	{"W", "W", 1},
	{"kW", "W", 1e3},
	{"mW", "W", 1e-3},
	{"Hz", "Hz", 1},
	{"kHz", "Hz", 1e3},
	{"MHz", "Hz", 1e6},
	{"GHz", "Hz", 1e9},
	{"rpm", "rpm", 1},
	{"RPM", "rpm", 1},
	{"dB", "dB", 1},
	{"dBm", "dBm", 1},
	{"hPa", "hPa", 1},
}

// unitOf returns what a suffix means.
func unitOf(b []byte) (suffix, bool) {
	if len(b) == 0 || len(b) > 10 {
		return suffix{}, false
	}
	for i := range suffixes {
		if suffixes[i].text == string(b) {
			return suffixes[i], true
		}
	}
	return suffix{}, false
}

// value reads a cell that is a number, which may have a unit behind it; the
// unit is taken into account: "1.5KiB" is 1536 Bytes.
func value(b []byte) (v float64, u Unit, ok bool) {
	n := numeral(b)
	if n == 0 {
		return 0, None, false
	}
	v, ok = parse(b[:n])
	rest := bytes.TrimLeft(b[n:], " ")
	if len(rest) == 0 || !ok {
		return v, None, ok
	}
	s, ok := unitOf(rest)
	return v * s.scale, s.unit, ok
}

// decimalComma reads a number with a decimal comma, as spreadsheets of many
// countries write it.
func decimalComma(b []byte, scratch []byte) (float64, bool) {
	if bytes.Count(b, []byte{','}) != 1 || len(b) > 32 {
		return 0, false
	}
	scratch = append(scratch[:0], b...)
	scratch[bytes.IndexByte(scratch, ',')] = '.'
	if numeral(scratch) != len(scratch) {
		return 0, false
	}
	return parse(scratch)
}

// numeral returns how many bytes of b's beginning are a decimal number: sign,
// digits, perhaps grouped in threes by commas, fraction, exponent. 0 is none.
func numeral(b []byte) int {
	i := 0
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	start := i
	for i < len(b) && digit(b[i]) {
		i++
	}
	whole := i - start
	if whole > 0 && whole <= 3 {
		for i+3 < len(b) && b[i] == ',' && digit(b[i+1]) && digit(b[i+2]) && digit(b[i+3]) && (i+4 == len(b) || !digit(b[i+4])) {
			i += 4
		}
	}
	frac := 0
	if i < len(b) && b[i] == '.' {
		j := i + 1
		for j < len(b) && digit(b[j]) {
			j++
		}
		if frac = j - i - 1; frac > 0 || whole > 0 {
			i = j
		}
	}
	if whole+frac == 0 {
		return 0
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		if j < len(b) && digit(b[j]) {
			for j < len(b) && digit(b[j]) {
				j++
			}
			i = j
		}
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// parse returns the value of a numeral.
func parse(b []byte) (float64, bool) {
	// Up to 15 digits are exact in a float64, and so is a power of ten up to 22:
	// one division gives the nearest value.
	mant, digits, frac, neg, plain, point := uint64(0), 0, 0, false, true, false
	for _, c := range b {
		switch {
		case digit(c):
			mant = mant*10 + uint64(c-'0')
			if digits++; point {
				frac++
			}
		case c == '-' && digits == 0:
			neg = true
		case c == '.':
			point = true
		case c == ',' && digits == 1 && mant == 0:
			point = true // no group stands behind a zero: 0,041 is 0.041, as many languages write it
		case c == '+' && digits == 0, c == ',':
		default:
			plain = false
		}
		if !plain || digits > 15 {
			return slow(b)
		}
	}
	v := float64(mant) / pow10[frac]
	if neg {
		v = -v
	}
	return v, true
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func slow(b []byte) (float64, bool) {
	if bytes.IndexByte(b, ',') >= 0 {
		b = bytes.ReplaceAll(b, []byte{','}, nil)
	}
	v, err := strconv.ParseFloat(view(b), 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// view returns b as a string that is valid until b changes.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// missing reports whether a cell says that there is no value.
func missing(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1, 2, 3, 4:
		return string(b) == "-" || string(b) == "--" || bytes.EqualFold(b, []byte("nan")) || bytes.EqualFold(b, []byte("null")) ||
			bytes.EqualFold(b, []byte("n/a")) || bytes.EqualFold(b, []byte("na")) || bytes.EqualFold(b, []byte("none"))
	}
	return false
}

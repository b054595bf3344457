package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// scalar is a value with its variables replaced.
type scalar struct {
	text   string
	source string // what stands in the file, if variables were replaced
	plain  bool   // not in quotes: it may be a number
}

// text reads the scalar n; want names what it should be. It reports what is
// not a scalar. t is the type that it is for.
func (d *Document) text(n *yaml.Node, path, want string, t reflect.Type) (s scalar, ok bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.wrongType(n, path, want, concealed(t))
		return s, false
	}
	text, used, wrong := expand(n.Value, d.lookup)
	if wrong != nil && concealed(t) && !onlyVariable(n.Value) {
		wrong = &expandError{`holds a "${" that cannot be replaced`, `write "${NAME}" alone, or $${ for the characters themselves`}
	}
	if wrong != nil {
		d.errs.add(positionOf(n), path, wrong.what, wrong.want)
		d.bad[path] = true
		return s, false
	}
	s.text = text
	s.plain = used || n.ShortTag() != "!!str" || n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if used {
		s.source = n.Value
	}
	return s, true
}

// decodeText hands a scalar to a type that reads itself.
func (d *Document) decodeText(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.text(n, path, wanted(v.Type().Elem()), v.Type().Elem())
	if !ok {
		return
	}
	// The value may be half written when it errs: a fresh one takes its place
	// only if it is good.
	fresh := reflect.New(v.Type().Elem())
	u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](fresh)
	if !ok {
		panic(fmt.Sprintf("strictyaml: %s does not read text", v.Type()))
	}
	if err := u.UnmarshalText([]byte(s.text)); err != nil {
		what, want, _ := strings.Cut(err.Error(), "; ")
		if concealed(v.Type().Elem()) {
			what, want = "is not what it must be", ""
		}
		d.badScalar(n, path, s, what, want)
		return
	}
	v.Elem().Set(fresh.Elem())
}

func (d *Document) decodeScalar(n *yaml.Node, v reflect.Value, path string) {
	want := wanted(v.Type())
	s, ok := d.text(n, path, want, v.Type())
	if !ok {
		return
	}
	err := setAny(v, s)
	switch {
	case err == nil:
	case errors.Is(err, errType):
		if bare := (scalar{text: s.text, plain: true}); !s.plain && v.Kind() != reflect.String && setAny(v, bare) == nil {
			want += ", without quotes"
		}
		d.badScalar(n, path, s, "is "+describe(n, s.text, s.source), "want "+want)
	default:
		d.badScalar(n, path, s, "is "+describe(n, s.text, s.source), err.Error())
	}
}

func (d *Document) badScalar(n *yaml.Node, path string, s scalar, what, want string) {
	if s.source != "" && !strings.Contains(what, "made from") {
		what += ", made from " + quote(s.source)
	}
	d.errs.add(positionOf(n), path, what, want)
	d.bad[path] = true
}

func setAny(v reflect.Value, s scalar) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s.text)
		return nil
	case reflect.Bool:
		return setBool(v, s)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return setInt(v, s)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return setUint(v, s)
	case reflect.Float32, reflect.Float64:
		return setFloat(v, s)
	default:
		panic(fmt.Sprintf("strictyaml: a %s cannot be configured", v.Type()))
	}
}

// errType says that a scalar is of another type.
var errType = errors.New("wrong type")

func setBool(v reflect.Value, s scalar) error {
	switch {
	case !s.plain:
		return errType
	case s.text == "true" || s.text == "True" || s.text == "TRUE":
		v.SetBool(true)
	case s.text == "false" || s.text == "False" || s.text == "FALSE":
		v.SetBool(false)
	default:
		return errType
	}
	return nil
}

func setInt(v reflect.Value, s scalar) error {
	n, err := strconv.ParseInt(digits(s), 0, v.Type().Bits())
	if errors.Is(err, strconv.ErrRange) {
		top := int64(math.MaxInt64) >> (64 - v.Type().Bits())
		return fmt.Errorf("want a whole number of %d to %d", -top-1, top)
	}
	if err != nil {
		return errType
	}
	v.SetInt(n)
	return nil
}

func setUint(v reflect.Value, s scalar) error {
	n, err := strconv.ParseUint(digits(s), 0, v.Type().Bits())
	if errors.Is(err, strconv.ErrRange) || strings.HasPrefix(s.text, "-") && err != nil {
		return fmt.Errorf("want a whole number of 0 to %d", uint64(math.MaxUint64)>>(64-v.Type().Bits()))
	}
	if err != nil {
		return errType
	}
	v.SetUint(n)
	return nil
}

// digits returns what strconv shall read as a whole number, or what it
// refuses. A leading zero is an octal number to some readers of YAML and a
// decimal one to others: it is refused.
func digits(s scalar) string {
	bare := strings.TrimLeft(s.text, "+-")
	if !s.plain || len(bare) > 1 && bare[0] == '0' && bare[1] >= '0' && bare[1] <= '9' {
		return ""
	}
	return s.text
}

func setFloat(v reflect.Value, s scalar) error {
	if n, err := strconv.ParseInt(digits(s), 0, 64); err == nil {
		v.SetFloat(float64(n))
		return nil
	}
	if !s.plain || strings.ContainsAny(s.text, "xXpP_") {
		return errType
	}
	f, err := strconv.ParseFloat(s.text, v.Type().Bits())
	switch {
	case errors.Is(err, strconv.ErrRange), math.IsInf(f, 0), math.IsNaN(f), strings.HasSuffix(strings.ToLower(s.text), ".inf"), strings.EqualFold(s.text, ".nan"):
		return errors.New("want a finite number")
	case err != nil:
		return errType
	}
	v.SetFloat(f)
	return nil
}

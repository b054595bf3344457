package handler

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// data is what a template of the tests sees.
func data(arg string) map[string]any {
	return map[string]any{
		"arg": decode([]byte(arg)), "chart": "cpu", "user": "token:wall", "vars": map[string]any{"host": "web1"}, "cause": "client",
	}
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ text, arg, want string }{
		{`plain`, `"x"`, "plain"},
		{`{{ .arg }}`, `"x<&'\"y"`, `x<&'"y`},
		{`{{ .arg }}`, `1700000000000`, "1700000000000"},
		{`{{ .arg }}`, `true`, "true"},
		{`{{ .arg | after ":" }}`, `"host:web:2"`, "web:2"},
		{`{{ .arg | before ":" }}`, `"host:web:2"`, "host"},
		{`{{ .arg | after ":" | before ":" | upper }}`, `"host:web:2"`, "WEB"},
		{`{{ after ":" .arg }}`, `"none"`, ""},
		{`{{ before ":" .arg }}`, `"none"`, "none"},
		{`{{ .arg.a.b | lower | trim }}`, `{"a":{"b":" X "}}`, "x"},
		{`{{ .arg.none | default "d" }}`, `{}`, "d"},
		{`{{ .arg.none | default .chart }}`, `{"none":""}`, "cpu"},
		{`{{ json .arg }}`, `{"b":[1,"<"],"a":null}`, `{"a":null,"b":[1,"<"]}`},
		{`{{ .chart }}/{{ .user }}/{{ .vars.host }}/{{ .cause }}`, `null`, "cpu/token:wall/web1/client"},
		{`{{ if eq .arg.level 3 }}three{{ else if ne .arg.level 4 }}other{{ else }}four{{ end }}`, `{"level":3}`, "three"},
		{`{{ if eq .arg.level 3 }}three{{ else if ne .arg.level 4 }}other{{ else }}four{{ end }}`, `{"level":4}`, "four"},
		{`{{ if and .arg.on (not .arg.off) }}yes{{ end }}`, `{"on":true}`, "yes"},
		{`{{ with $x := .arg.name }}{{ $x }}!{{ end }}`, `{"name":"ada"}`, "ada!"},
		{`{{/* said */}}x`, `null`, "x"},
		{"{{- .arg -}} ", `"x"`, "x"},
	} {
		tpl, err := parseTemplate(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := expand(tpl, data(c.arg))
		if err != nil || got != c.want {
			t.Errorf("%s of %s is %q, %v; want %q", c.text, c.arg, got, err, c.want)
		}
	}
}

func TestTemplatesRefuse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{{ .arg`, "unclosed action"},
		{`{{ nope .arg }}`, `function "nope" not defined`},
		{`{{ printf "%1000000000d" 1 }}`, `a template may not call "printf"`},
		{`{{ print .arg }}`, `a template may not call "print"`},
		{`{{ .arg | html }}`, `a template may not call "html"`},
		{`{{ call .arg }}`, `a template may not call "call"`},
		{`{{ index .arg 1 }}`, `a template may not call "index"`},
		{`{{ text .arg }}`, `a template may not call "text"`},
		{`{{ if (len .arg) }}x{{ end }}`, `a template may not call "len"`},
		{`{{ with (slice .arg 1) }}x{{ end }}`, `a template may not call "slice"`},
		{`{{ (print .arg).x }}`, `a template may not call "print"`},
		{`{{ range .arg }}x{{ end }}`, "a template may not hold"},
		{`{{ if true }}{{ range 1000000000 }}x{{ end }}{{ end }}`, "a template may not hold"},
		{`{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`, "a template inside a template"},
		{`{{ block "x" . }}{{ end }}`, "a template inside a template"},
		{`{{ template "x" }}`, "a template may not hold"},
	} {
		_, err := parseTemplate(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "template: ") {
			t.Errorf("%s: the error is not in plain words: %v", c.text, err)
		}
	}
}

// What goes wrong when a template is filled names the place in it.
func TestTemplatesFail(t *testing.T) {
	for _, c := range []struct{ text, arg, want string }{
		{`{{ .arg.x }}`, `{}`, "there is no such value"},
		{`{{ .arg.x }}`, `"text"`, "<.arg.x>: can't evaluate field x"},
		{`{{ .nope }}`, `"text"`, "there is no such value"},
		{`{{ .arg }}`, `[1]`, "it is a list or an object"},
		{`{{ .arg | upper }}`, `{}`, "it is a list or an object"},
		{`{{ .vars.none }}`, `{}`, "there is no such value"},
		{`{{ .arg }}`, `"` + strings.Repeat("x", maxText+1) + `"`, "it writes more than 16384 bytes"},
		{`{{ json .arg }}`, `"` + strings.Repeat(`\u0000`, maxText/3) + `"`, "it writes more than 16384 bytes"},
	} {
		tpl, err := parseTemplate(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := expand(tpl, data(c.arg))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "template: ") {
			t.Errorf("%s of %.40s is %q, %v; want %s", c.text, c.arg, got, err, c.want)
		}
	}
}

// before, the separator and after are the text again.
func FuzzCut(f *testing.F) {
	f.Add(":", "host:web1")
	f.Add("", "x")
	f.Add("::", ":")
	f.Fuzz(func(t *testing.T, sep, text string) {
		head, errHead := before(sep, text)
		rest, errRest := after(sep, text)
		if errHead != nil || errRest != nil {
			t.Fatal(errHead, errRest)
		}
		if strings.Contains(text, sep) {
			if head+sep+rest != text {
				t.Errorf("%q cut at %q is %q and %q", text, sep, head, rest)
			}
		} else if head != text || rest != "" {
			t.Errorf("%q has no %q, but is cut to %q and %q", text, sep, head, rest)
		}
	})
}

// Whatever somebody writes as a template is refused or ends, within its bounds.
func FuzzTemplate(f *testing.F) {
	f.Add(`{{ .arg | after ":" }}`, `"host:web1"`)
	f.Add(`{{ if eq .arg.x 1 }}{{ json .arg }}{{ end }}`, `{"x":1}`)
	f.Add(`{{ with .arg.x }}{{ . }}{{ else }}{{ .chart }}{{ end }}`, `{}`)
	f.Add(`{{ $x := .arg }}{{ $x.y | default "z" }}`, `{"y":[1]}`)
	f.Fuzz(func(t *testing.T, text, arg string) {
		tpl, err := parseTemplate(text)
		if err != nil {
			return
		}
		got, err := expand(tpl, data(arg))
		if err != nil {
			return
		}
		if len(got) > maxText {
			t.Errorf("%q writes %d bytes", text, len(got))
		}
		if strings.Contains(got, "<no value>") && !strings.Contains(text+arg, "no value") {
			t.Errorf("%q of %q writes %q", text, arg, got)
		}
		if utf8.ValidString(text) && json.Valid([]byte(arg)) && !utf8.ValidString(got) {
			t.Errorf("%q of %q is not UTF-8: %q", text, arg, got)
		}
	})
}

package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

func TestViewArg(t *testing.T) {
	for _, c := range []struct {
		arg  string
		ok   bool
		fail string // part of the error
	}{
		{arg: ``},
		{arg: `null`},
		{arg: `"view"`},
		{arg: `{}`},
		{arg: `{"view":"summary"}`},
		{arg: `{"view":null}`},
		{arg: `{"view":{"window":"5m"},"why":"zoom"}`},
		{arg: `{"View":{"window":"5m"}}`},
		{arg: `{"view":{}}`, ok: true},
		{arg: `{"view":{"window":"5m"}}`, ok: true},
		{arg: ` {"view":{"window":"5m"}}`}, // a message's fields have no space before them
		{arg: `{"view":{"window":[]}}`, fail: "arg.view.window"},
		{arg: `{"view":{"size":[1]}}`, fail: "arg.view.size"},
	} {
		ch, ok, err := wire.ViewArg(json.RawMessage(c.arg))
		switch {
		case c.fail != "":
			if ok || err == nil || err.Code != wire.CodeBadMessage || !strings.Contains(err.Error(), c.fail) {
				t.Errorf("%s: %v %v, want an error about %s", c.arg, ok, err, c.fail)
			}
		case err != nil || ok != c.ok:
			t.Errorf("%s: %v %v, want %v", c.arg, ok, err, c.ok)
		case strings.Contains(c.arg, "5m") && ok && (ch.Window == nil || *ch.Window != quantity.Duration(300e9)):
			t.Errorf("%s: window %v", c.arg, ch.Window)
		}
	}
}

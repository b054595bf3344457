package wire

import "testing"

func TestJoin(t *testing.T) {
	a, b := Encode(OK{ID: "1"}), Encode(OK{ID: "2"})
	ab := Join(a, b)
	for _, c := range []struct {
		name string
		got  *Message
		want string
	}{
		{"two", ab, `[{"t":"ok","id":1},{"t":"ok","id":2}]`},
		{"nil is left out", Join(nil, a, nil, b), `[{"t":"ok","id":1},{"t":"ok","id":2}]`},
		{"arrays join flat", Join(a, ab, nil, ab), `[{"t":"ok","id":1},{"t":"ok","id":1},{"t":"ok","id":2},{"t":"ok","id":1},{"t":"ok","id":2}]`},
	} {
		if string(c.got.JSON()) != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got.JSON(), c.want)
		}
	}
	if Join() != nil || Join(nil, nil) != nil {
		t.Error("nothing joins to something")
	}
	if Join(nil, a) != a || Join(ab) != ab {
		t.Error("one message is copied")
	}
}

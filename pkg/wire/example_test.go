package wire_test

import (
	"fmt"
	"strings"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// A loop hands every frame to a Stream; a session sends each client what leads
// it from what it holds to what is there.
func ExampleStream() {
	frame := func(d string) *plotting.Frame {
		f, err := plotting.Parse([]byte("<svg xmlns='http://www.w3.org/2000/svg'><style data-k='css'>" + strings.Repeat(".l{stroke:red}", 30) +
			"</style><g data-k='s0' class='l c0' data-name='user'><path data-k='s0.0' d='" + d + "'/></g></svg>"))
		if err != nil {
			panic(err)
		}
		f.Epoch = "k3f9"
		return f
	}
	s := wire.NewStream("cpu~1f")
	for _, d := range []string{"M0 900l0 0", "M0 900l0 0 12-3", "M0 900l0 0 12-3", "M0 900l0 0 12-3 12 8"} {
		if u := s.Next(frame(d)); u == nil {
			fmt.Println("nothing to send")
		} else if p := u.Patch(); p != nil {
			fmt.Printf("%s\n", p.JSON())
		} else {
			fmt.Printf("a full of %d bytes at %v\n", u.Full().Len(), u.Pos())
		}
	}
	missed, ok := s.Last().Since(wire.Pos{E: "k3f9", R: 1})
	fmt.Println(len(missed), ok)
	// Output:
	// a full of 630 bytes at {k3f9 1}
	// {"t":"patch","v":"cpu~1f","e":"k3f9","b":1,"r":2,"o":[["a","s0.0"," 12-3"]]}
	// nothing to send
	// {"t":"patch","v":"cpu~1f","e":"k3f9","b":2,"r":3,"o":[["a","s0.0"," 12 8"]]}
	// 2 true
}

// A client in Go follows a view with a Mirror.
func ExampleMirror() {
	m := wire.NewMirror("cpu~1f")
	for _, text := range []string{
		`{"t":"full","v":"cpu~1f","e":"k3f9","r":1,"svg":"<svg xmlns='http://www.w3.org/2000/svg'><text data-k='v0'>41 %</text></svg>"}`,
		`{"t":"patch","v":"cpu~1f","e":"k3f9","b":1,"r":2,"o":[["x","v0","42 %"]]}`,
		`{"t":"patch","v":"cpu~1f","e":"k3f9","b":3,"r":4,"o":[["x","v0","44 %"]]}`,
	} {
		ms, err := wire.ParseServer([]byte(text))
		if err != nil {
			panic(err)
		}
		for _, msg := range ms {
			if resync, err := m.Take(msg); resync {
				fmt.Printf("%s: %v\n", wire.Encode(wire.Resync{V: "cpu~1f"}).JSON(), err)
			}
		}
	}
	fmt.Printf("%s\n", m.SVG())
	// Output:
	// {"t":"resync","v":"cpu~1f"}: patch k3f9/4: does not apply to k3f9/2
	// <svg xmlns='http://www.w3.org/2000/svg'><text data-k='v0'>42 %</text></svg>
}

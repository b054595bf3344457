package lines_test

import (
	"fmt"

	"github.com/chartd/chartd/pkg/source/lines"
)

// The layout, the header and what rows are called are found.
func Example() {
	r := lines.New(lines.DefaultConfig(), "free")
	for _, line := range []string{
		"               total        used        free",
		"Mem:            23Gi       493Mi        20Gi",
	} {
		samples, err := r.Line(nil, []byte(line), 0)
		for _, s := range samples {
			fmt.Println(s.Metric, s.Labels, s.V, s.Column.Unit)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// free_total {name="Mem"} 2.4696061952e+10 bytes
	// free_used {name="Mem"} 5.16947968e+08 bytes
	// free_free {name="Mem"} 2.147483648e+10 bytes
}

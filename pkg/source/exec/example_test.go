package exec_test

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/exec"
	"github.com/chartd/chartd/pkg/store"
)

// printer shows what a source brings, and stops it after as many samples.
type printer struct {
	left int
	stop func()
}

func (p *printer) Append(metric string, labels store.Labels, _ int64, v float64) error {
	fmt.Printf("%s%s %v\n", metric, labels, v)
	if p.left--; p.left == 0 {
		p.stop()
	}
	return nil
}

// What a command prints, until it has printed two rows.
func Example() {
	cfg := exec.DefaultConfig()
	cfg.Shell = "echo 'room temp'; echo 'lab 21.5'; echo 'attic 27'; sleep 60"
	src, err := cfg.New(source.Deps{Name: "climate", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := src.Run(ctx, &printer{2, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// climate_temp{room="lab"} 21.5
	// climate_temp{room="attic"} 27
}

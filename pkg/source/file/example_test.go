package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/file"
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

// A CSV that is there already, from its start.
func Example() {
	dir, err := os.MkdirTemp("", "chartd")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "climate.csv")
	if err := os.WriteFile(path, []byte("time,room,temp\n2023-11-14T22:13:20Z,lab,21.5\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	cfg := file.DefaultConfig()
	cfg.Path, cfg.From = path, file.Start
	src, err := cfg.New(source.Deps{Name: "climate", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := src.Run(ctx, &printer{1, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// climate_temp{room="lab"} 21.5
}

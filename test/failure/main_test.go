// Package failure breaks things for real: clients that stop, code that panics or
// hangs, a disk without room, a clock that jumps. Each test does it to a whole
// daemon in a process of its own, over real sockets, while a bystander watches
// a chart that refreshes every 100 ms and must go on as if nothing were.
package failure

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// The environment of the processes that tests start out of this same program.
const (
	envRole = "CHARTD_FAILURE_ROLE"
	envArg  = "CHARTD_FAILURE_ARG"
)

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(envRole)
	if !ok {
		flag.Parse()
		if err := flag.Set("test.parallel", "5"); err != nil { // they wait most of the time
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		goleak.VerifyTestMain(m)
		return
	}
	var err error
	switch role {
	case "daemon":
		err = serve(os.Getenv(envArg))
	case "client":
		err = watch(os.Getenv(envArg))
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// mono is the monotonic clock of the system in ns: what one process reads can
// be compared with what another one reads.
func mono() int64 { return monoStart + int64(time.Since(processStart)) }

// The runtime reads the same clock without a system call, counted from when the
// process began: the two are joined once.
var (
	processStart = time.Now()
	monoStart    = readClock(unix.CLOCK_MONOTONIC)
)

func readClock(id int32) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0 // only an id that does not exist makes it fail
	}
	return ts.Nano()
}

// cpuOf is the CPU time that a process has used so far, user and system. It is
// read from outside, so that reading it costs the process nothing.
func cpuOf(pid int) time.Duration {
	// As clock_getcpuclockid(3) makes the id: all bits of the pid inverted, and
	// 2 for the scheduler's own count, which is exact.
	return time.Duration(readClock(int32(^uint32(pid)<<3 | 2)))
}

// rssOf is the resident memory of a process in bytes: its own, without the
// program's code and what else is mapped from files, of which more becomes
// resident as more of it is used.
func rssOf(pid int) (int64, error) {
	kb, err := procField(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Anonymous:")
	return kb * 1024, err
}

// writesOf is how many writing system calls a process has made.
func writesOf(pid int) (int64, error) {
	return procField(fmt.Sprintf("/proc/%d/io", pid), "syscw:")
}

// procField reads the number behind a name.
func procField(path, name string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			return strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}

//go:build linux && amd64

package failure

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"unsafe"
)

// ahead is what this process's wall clock is ahead of the machine's, in seconds:
// the code that takeClock writes reads it, so it must not move.
var ahead atomic.Int64

// clockable reports why a process cannot have a wall clock of its own here.
func clockable() error {
	mem, _, err := clock()
	if err == nil {
		err = mem.Close()
	}
	return err
}

// takeClock gives this process a wall clock of its own. Go reads the time by a
// function that the kernel maps into each process; the process's own copy of it
// is replaced by one that asks the kernel and adds what the returned function is
// told. The monotonic clock, the machine and every other process notice nothing.
func takeClock() (set func(seconds int64) error, err error) {
	mem, at, err := clock()
	if err != nil {
		return nil, err
	}
	defer func() { _ = mem.Close() }()
	code := []byte{
		0xb8, 0xe4, 0x00, 0x00, 0x00, // mov eax, clock_gettime
		0x0f, 0x05, // syscall
		0x85, 0xff, // test edi, edi: CLOCK_REALTIME is 0
		0x75, 0x10, // jne to the ret
		0x48, 0xba, // mov rdx, the address of ahead
	}
	code = binary.LittleEndian.AppendUint64(code, uint64(uintptr(unsafe.Pointer(&ahead)))) //nolint:gosec // the point of it
	code = append(code,
		0x48, 0x8b, 0x12, // mov rdx, [rdx]
		0x48, 0x01, 0x16, // add [rsi], rdx: the seconds
		0xc3, // ret
	)
	if _, err := mem.WriteAt(code, at); err != nil {
		return nil, err
	}
	return func(seconds int64) error { ahead.Store(seconds); return nil }, nil
}

// clock returns this process's memory, and where in it the clock is read.
func clock() (mem *os.File, at int64, err error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, 0, err
	}
	var low, high int64
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x", &low, &high); err != nil {
			return nil, 0, err
		}
	}
	if mem, err = os.OpenFile("/proc/self/mem", os.O_RDWR, 0); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			_ = mem.Close()
		}
	}()
	image := make([]byte, high-low)
	if _, err := mem.ReadAt(image, low); err != nil {
		return nil, 0, err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, 0, err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return nil, 0, err
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" && s.Size > 64 {
			return mem, low + int64(s.Value), nil //nolint:gosec // within two pages
		}
	}
	return nil, 0, errors.New("no clock in the vdso")
}

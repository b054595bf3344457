package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"
)

func (s *Source) readMemory(ctx context.Context, r *reading) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	if m.Total == 0 {
		return errors.New("the size of memory is unknown")
	}
	used, free := m.Used, m.Total-min(m.Total, m.Used)
	if m.Cached+m.Buffers > 0 {
		// What gopsutil calls used leaves out what could be had back; here every
		// byte is in exactly one state.
		free = m.Free
		used = m.Total - min(m.Total, m.Free+m.Cached+m.Buffers)
	}
	r.add("host_memory_bytes", float64(used), "state", "used")
	r.add("host_memory_bytes", float64(m.Buffers), "state", "buffers")
	r.add("host_memory_bytes", float64(m.Cached), "state", "cached")
	r.add("host_memory_bytes", float64(free), "state", "free")
	return addSwap(ctx, r, m)
}

// addSwap adds the swap, if there is any. Linux tells it with the memory.
func addSwap(ctx context.Context, r *reading, m *mem.VirtualMemoryStat) error {
	total, free := m.SwapTotal, m.SwapFree
	if runtime.GOOS != "linux" {
		swap, err := mem.SwapMemoryWithContext(ctx)
		if err != nil {
			return fmt.Errorf("swap: %w", err)
		}
		total, free = swap.Total, swap.Free
	}
	if total > 0 {
		r.add("host_swap_bytes", float64(total-min(total, free)), "state", "used")
		r.add("host_swap_bytes", float64(free), "state", "free")
	}
	return nil
}

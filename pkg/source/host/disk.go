package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/disk"
)

func (s *Source) readDisks(ctx context.Context, r *reading) error {
	all, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return err
	}
	names := make(map[string]bool, len(all))
	for name := range all {
		names[name] = true
	}
	var read, written float64
	var any bool
	for name, c := range all {
		if !isDisk(name, names) {
			continue
		}
		rd, ok := s.rates.next("read "+name, c.ReadBytes, r.at)
		wr, ok2 := s.rates.next("write "+name, c.WriteBytes, r.at)
		if ok && ok2 {
			read, written, any = read+rd, written+wr, true
		}
	}
	if any {
		r.add("host_disk_bytes_per_second", read, "direction", "read")
		r.add("host_disk_bytes_per_second", written, "direction", "write")
	}
	return nil
}

// isDisk reports whether a block device is a whole disk rather than a part of
// one (sda1, nvme0n1p2, mmcblk0p1), or something that lies on disks (loop0,
// dm-1, md0) or in memory (ram0, zram0).
func isDisk(name string, all map[string]bool) bool {
	for _, virtual := range []string{"loop", "ram", "zram", "dm-", "md", "nbd", "fd", "sr"} {
		if strings.HasPrefix(name, virtual) {
			return false
		}
	}
	whole := strings.TrimRight(name, "0123456789")
	if whole == name {
		return true
	}
	// The p stands between two numbers, as in nvme0n1p1.
	return !all[whole] && !all[strings.TrimSuffix(whole, "p")]
}

func (s *Source) readMounts(ctx context.Context, r *reading) error {
	parts, err := disk.PartitionsWithContext(ctx, false)
	var errs []error
	if err != nil {
		errs = append(errs, err)
	}
	for _, mount := range mounts(parts) {
		use, err := disk.UsageWithContext(ctx, mount)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", mount, err))
			continue
		}
		if use.Total > 0 {
			r.add("host_disk_used_percent", use.UsedPercent, "mount", mount)
		}
	}
	return errors.Join(errs...)
}

// mounts returns where file systems are mounted, each once: at the shortest
// path, since others are bind mounts of it. In a container these are single
// files, and the root is no partition but counts.
func mounts(parts []disk.PartitionStat) []string {
	slices.SortFunc(parts, func(a, b disk.PartitionStat) int {
		return cmp.Or(len(a.Mountpoint)-len(b.Mountpoint), strings.Compare(a.Mountpoint, b.Mountpoint))
	})
	seen := map[string]bool{}
	var out []string
	for _, p := range parts {
		if seen[p.Device] {
			continue
		}
		if info, err := os.Stat(p.Mountpoint); err != nil || !info.IsDir() {
			continue
		}
		seen[p.Device] = true
		out = append(out, p.Mountpoint)
	}
	const root = "/"
	if !slices.Contains(out, root) {
		if info, err := os.Stat(root); err == nil && info.IsDir() {
			out = append(out, root)
		}
	}
	return out
}

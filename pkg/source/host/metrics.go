package host

// Metrics returns the names of all metrics that the source can bring, in order.
func Metrics() []string {
	return []string{
		"host_cpu_busy_percent", "host_cpu_percent", "host_disk_bytes_per_second", "host_disk_used_percent", "host_interface_bytes_per_second",
		"host_load", "host_memory_bytes", "host_network_bytes_per_second", "host_swap_bytes", "host_uptime_seconds",
	}
}

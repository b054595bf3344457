// Package webhook answers callbacks by asking an HTTP server: what happened is
// posted as JSON, signed, and the JSON that comes back changes the chart. The
// server is given little time, is left alone for a while when it fails, and may
// not be inside the network unless the configuration says so. Nothing of it,
// neither its address nor what it writes, is repeated to clients.
package webhook

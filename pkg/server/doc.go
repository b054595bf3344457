// Package server is chartd over HTTP: the pages and their script, the
// WebSocket that carries frames, pictures, the ingest routes of sources,
// health and metrics.
package server

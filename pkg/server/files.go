package server

import (
	"errors"
	"net"
	"syscall"

	"go.uber.org/zap"
)

// plenty is how many connections are enough for who has not thought about it.
const plenty = 900

// files finds out how many files may be open, and says whether that is enough.
func (s *Server) files() {
	s.guard.files = openFiles()
	cfg := s.rules.Load().cfg
	fields := []zap.Field{zap.Int("open_files", s.guard.files), zap.Int("server.max_connections", cfg.MaxConnections)}
	if most, _ := s.guard.places(&cfg); most < cfg.MaxConnections {
		level := zap.WarnLevel
		if cfg.MaxConnections == DefaultConfig().MaxConnections && most >= plenty {
			level = zap.DebugLevel // nobody asked for so many
		}
		s.log.Log(level, "the limit of open files is too low for as many connections as the configuration allows: raise it (ulimit -n, LimitNOFILE)",
			append(fields, zap.Int("connections", most))...)
		return
	}
	s.log.Debug("the limit of open files is high enough", fields...)
}

// listener notes when the system has no file left for a connection. net/http waits
// then, for up to a second, and goes on.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.server.metrics.refused.WithLabelValues("files").Inc()
		l.server.quiet.Write(zap.ErrorLevel, "files", "no connection can be accepted: too many open files; raise the limit (ulimit -n, LimitNOFILE)", zap.Error(err))
	}
	return nc, err
}

package session

import "sync"

// serial runs functions one after the other, in whatever goroutine comes by:
// the caller's if nobody is at it, otherwise that of who is. So a client's
// state needs no lock, and no goroutine of its own, and who holds it can use
// locks of others. The functions must not block.
type serial struct {
	// caught is given what a function panicked with.
	caught func(v any)

	mu      sync.Mutex
	queue   []func()
	running bool
}

// do runs f now or soon; before do returns, unless another goroutine is at it.
func (s *serial) do(f func()) {
	s.mu.Lock()
	s.queue = append(s.queue, f)
	if s.running {
		s.mu.Unlock()
		return
	}
	s.running = true
	for len(s.queue) > 0 {
		todo := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, f := range todo {
			s.one(f)
		}
		s.mu.Lock()
	}
	s.running = false
	s.mu.Unlock()
}

// wait runs f and returns when it has run. It must not be called by a function
// of the same serial.
func (s *serial) wait(f func()) {
	done := make(chan struct{})
	s.do(func() {
		defer close(done)
		f()
	})
	<-done
}

func (s *serial) one(f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.caught(v)
		}
	}()
	f()
}

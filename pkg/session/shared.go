package session

import "github.com/chartd/chartd/pkg/plotting"

// Shared returns v under what callbacks of scope shared have laid over the
// views of its chart: what those who watch v see, for whoever draws it without
// watching.
func (h *Hub) Shared(v plotting.View) plotting.View { return h.pool.Shared(v) }

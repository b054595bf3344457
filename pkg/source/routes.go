package source

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Route returns the handler of a Receiver for r; ok is false if no source
// wants it. It follows what Apply does.
func (m *Manager) Route(r *http.Request) (h http.Handler, ok bool) {
	mux := m.mux.Load()
	if _, pattern := mux.Handler(r); pattern == "" {
		return nil, false
	}
	return mux, true
}

// routes puts the routes of all receivers together.
func routes(runners map[string]*runner) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	owner := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(runners)) {
		for _, pattern := range slices.Sorted(maps.Keys(runners[name].routes)) {
			if other, taken := owner[pattern]; taken {
				errs = append(errs, fmt.Errorf("sources.%s: %s is already served by sources.%s", name, pattern, other))
				continue
			}
			owner[pattern] = name
			if err := handle(mux, pattern, runners[name].routes[pattern]); err != nil {
				errs = append(errs, fmt.Errorf("sources.%s: %w", name, err))
			}
		}
	}
	return mux, errors.Join(errs...)
}

// handle adds a route. A pattern that is wrong or overlaps another is an error.
func handle(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("route %q: %v", pattern, p)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

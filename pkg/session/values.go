package session

import "sync"

// Values is what handlers remember about a session. It is safe for concurrent
// use; the zero value is empty.
type Values struct {
	mu sync.Mutex
	m  map[string]any
}

// Get returns the value of key, nil if there is none.
func (v *Values) Get(key string) any {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.m[key]
}

// Set stores a value; nil removes it.
func (v *Values) Set(key string, value any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if value == nil {
		delete(v.m, key)
		return
	}
	if v.m == nil {
		v.m = map[string]any{}
	}
	v.m[key] = value
}

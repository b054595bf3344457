package config

import (
	"fmt"
	"strings"
)

// Setting is one value given outside the file, in the place of what the file
// says. It is read as strictly.
type Setting struct {
	// Key is the path of the value: "server.max_connections".
	Key string
	// Value is the value as YAML: "500", "[a, b]".
	Value string
}

// ParseSetting reads a setting as the command line has it, KEY=VALUE. Whether
// there is such a key, and what it may be, shows when a configuration is read
// with it.
func ParseSetting(s string) (Setting, error) {
	key, value, ok := strings.Cut(s, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return Setting{}, fmt.Errorf("%q is no setting; write KEY=VALUE, as server.max_connections=500", s)
	}
	return Setting{Key: key, Value: value}, nil
}

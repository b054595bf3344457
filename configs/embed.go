// Package configs holds the configuration that chartd has when it is given
// none.
package configs

import _ "embed"

//go:embed chartd.yaml
var chartd string

// Default returns the YAML of the configuration that shows the machine chartd
// runs on.
func Default() string { return chartd }

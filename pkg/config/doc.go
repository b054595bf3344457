// Package config reads chartd's configuration: one YAML file that says where
// samples come from, what each chart shows, and how the server behaves.
//
// Each package owns its own section as a Config struct with its defaults and
// its checks; this package puts the sections together, reads them strictly
// (see package strictyaml) and names every mistake at once:
//
//	chartd.yaml:12:5: charts.cpu: unknown key "windw"; did you mean "window"?
//
// A *Config is never changed after it was read, and may be shared.
package config

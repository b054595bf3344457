package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/chartd/chartd/configs"
	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
)

// Errors is every mistake of a file.
type Errors = strictyaml.Errors

// Error is one mistake, with its place in the file.
type Error = strictyaml.Error

// Load reads the configuration in the file at path; see Parse. The error also
// tells that the file cannot be read.
func Load(path string, kinds source.Registry, lookup func(string) (string, bool), over ...Setting) (*Config, error) {
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, kinds, lookup, over...)
}

// Default returns the configuration that chartd has without a file: the one
// embedded from configs/chartd.yaml, which shows the machine it runs on. It
// errs only if kinds lacks a source that it names, or if a setting over it is
// wrong.
func Default(kinds source.Registry, lookup func(string) (string, bool), over ...Setting) (*Config, error) {
	return Parse("configs/chartd.yaml", []byte(configs.Default()), kinds, lookup, over...)
}

// Parse reads a configuration; name stands in its errors for the file, and the
// scripts that it names are in the file's folder or below. kinds
// are the kinds of sources there are, and lookup finds the environment
// variables of ${NAME}, as os.LookupEnv does; nil means that there are none.
// The settings of over take the place of what the file says. The error is an
// *Errors with every mistake.
func Parse(name string, data []byte, kinds source.Registry, lookup func(string) (string, bool), over ...Setting) (*Config, error) {
	doc, err := strictyaml.Parse(name, data, lookup)
	if err != nil {
		return nil, err
	}
	for _, s := range over {
		doc.Set("--set "+s.Key, s.Key, s.Value)
	}
	f := file{Config: defaults()}
	doc.Decode(&f)
	cfg := &f.Config
	for _, section := range []struct {
		path  string
		value problem.Validator
	}{
		{"listen", listenAddress(cfg.Listen)},
		{"defaults", cfg.Defaults},
		{"store", cfg.Store},
		{"session", cfg.Session},
		{"server", cfg.Server},
		{"auth", cfg.Auth},
		{"log", cfg.Log},
	} {
		doc.Check(section.path, section.value)
	}
	readSources(doc, f.Sources, kinds, cfg)
	readCharts(doc, f.Charts, filepath.Dir(name), cfg)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// file is the document: the Config with the parts that need more than their
// type to be read.
type file struct {
	Sources strictyaml.Node `yaml:"sources"`
	Charts  strictyaml.Node `yaml:"charts"`
	Config
}

// ReadFile returns what is in the file at path, if it may be a configuration.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	// One byte more than allowed tells Parse that the file is too long.
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

// unreadable says in words why the file at path cannot be read; errors.Is finds
// the reason.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileError{path + ": there is no such file", err}
	case errors.Is(err, syscall.EISDIR):
		return fileError{path + ": is a folder; want the file itself", err}
	case errors.Is(err, fs.ErrPermission):
		return fileError{path + ": chartd may not read this file; change its owner or mode, or run chartd as another user", err}
	}
	return fmt.Errorf("reading the configuration: %w", err)
}

// fileError is an error of the system in other words.
type fileError struct {
	text string
	err  error
}

func (e fileError) Error() string { return e.text }
func (e fileError) Unwrap() error { return e.err }

package config_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/config"
)

// watched runs Watch on path until the test ends and returns what it calls.
func watched(t *testing.T, path string) <-chan string {
	t.Helper()
	calls := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- config.Watch(ctx, path, nil, func() {
			data, err := os.ReadFile(path)
			if err != nil {
				data = []byte("gone")
			}
			calls <- string(data)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watching ends with %v", err)
		}
	})
	return calls
}

// expect fails the test unless the watcher tells of want, after nothing but
// what was there before, or a file that is half written.
func expect(t *testing.T, calls <-chan string, before, want string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case got := <-calls:
			if got == want {
				return
			}
			if got != before && got != "" {
				t.Fatalf("told of %q, want %q", got, want)
			}
		case <-late:
			t.Fatalf("nobody told that the file holds %q", want)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "chartd.yaml")
	write(t, path, "zero")
	calls := watched(t, path)
	// From the first call on, which needs no change, none is missed.
	expect(t, calls, "zero", "zero")
	write(t, path, "one")
	expect(t, calls, "zero", "one")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(t, calls, "one", "gone")
	// As an editor saves: a new file takes the old one's name.
	write(t, filepath.Join(dir, ".tmp"), "two")
	if err := os.Rename(filepath.Join(dir, ".tmp"), path); err != nil {
		t.Fatal(err)
	}
	expect(t, calls, "gone", "two")
	// What is written beside it is not told: the next call is for "three".
	write(t, filepath.Join(dir, "other.yaml"), "x")
	write(t, path, "three")
	expect(t, calls, "two", "three")
}

// TestWatchLinks changes the file as Kubernetes does: chartd.yaml leads to
// ..data/chartd.yaml, and ..data from one directory to the next.
func TestWatchLinks(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "chartd.yaml"), text)
		tmp := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(name, tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version("..v1", "one")
	path := filepath.Join(dir, "chartd.yaml")
	if err := os.Symlink(filepath.Join("..data", "chartd.yaml"), path); err != nil {
		t.Fatal(err)
	}
	calls := watched(t, path)
	expect(t, calls, "one", "one")
	version("..v2", "two")
	expect(t, calls, "one", "two")
	// It follows the link to the other directory.
	write(t, filepath.Join(dir, "..v2", "chartd.yaml"), "three")
	expect(t, calls, "two", "three")
}

func TestWatchNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "chartd.yaml")
	if err := config.Watch(t.Context(), path, nil, func() {}); err == nil {
		t.Error("a directory that is not there can be watched")
	}
}

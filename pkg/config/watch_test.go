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
		done <- config.Watch(ctx, path, func() {
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

// expect changes the file until the watcher, which may not have begun yet,
// tells of want.
func expect(t *testing.T, calls <-chan string, want string, change func()) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		change()
		again := time.After(500 * time.Millisecond)
		for waiting := true; waiting; {
			select {
			case got := <-calls:
				if got == want {
					return
				}
			case <-again:
				waiting = false
			case <-deadline:
				t.Fatalf("nobody told that the file holds %q", want)
			}
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
	expect(t, calls, "one", func() { write(t, path, "one") })
	expect(t, calls, "gone", func() { _ = os.Remove(path) })
	// As an editor saves: a new file takes the old one's name.
	expect(t, calls, "two", func() {
		write(t, filepath.Join(dir, ".tmp"), "two")
		if err := os.Rename(filepath.Join(dir, ".tmp"), path); err != nil {
			t.Error(err)
		}
	})
	// What is written beside it is not told: the next call is for "three".
	write(t, filepath.Join(dir, "other.yaml"), "x")
	write(t, path, "three")
	for {
		select {
		case got := <-calls:
			if got == "three" {
				return
			}
			if got != "two" {
				t.Fatalf("told of %q", got)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nobody told of the third file")
		}
	}
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
	n := 0
	expect(t, calls, "two", func() {
		n++
		version("..v2"+string(rune('a'+n)), "two")
	})
}

func TestWatchNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "chartd.yaml")
	if err := config.Watch(t.Context(), path, func() {}); err == nil {
		t.Error("a directory that is not there can be watched")
	}
}

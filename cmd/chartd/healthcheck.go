package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/quantity"
)

func healthcheckCommand() command {
	return command{
		name: "healthcheck", args: "[--config FILE] [--listen ADDR] [--set KEY=VALUE]...",
		short: "ask a running chartd whether it is well, as a container's health check",
		long: `
Asks /healthz at the address that serve, with the same flags and environment,
listens on. It needs neither a shell nor curl.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			file, listen, over := configFlag(t, fs), listenFlag(t, fs), setFlag(fs)
			timeout := quantity.Duration(2 * time.Second)
			fs.TextVar(&timeout, "timeout", timeout, "wait `TIME` for the answer")
			return func(ctx context.Context, args []string) error {
				if len(args) > 0 {
					return usageError{fmt.Sprintf("unexpected argument %q", args[0])}
				}
				if timeout <= 0 {
					return usageError{"--timeout: want a time above 0, as 2s"}
				}
				// A broken file must not make a healthy server look ill: with
				// an address, the file is not needed.
				addr := *listen
				if addr == "" {
					cfg, err := daemon.Load(*file, daemon.WithEnv(t.env), daemon.WithSettings(*over...))
					if err != nil {
						return err
					}
					addr = cfg.Listen
				}
				ctx, cancel := context.WithTimeout(ctx, timeout.Std())
				defer cancel()
				err := askHealth(ctx, "http", addr)
				if errors.Is(err, errTLS) {
					err = askHealth(ctx, "https", addr)
				}
				return err
			}
		},
	}
}

// errTLS says that a server wants to be asked by https.
var errTLS = errors.New("the server speaks TLS")

func askHealth(ctx context.Context, scheme, listen string) error {
	addr, err := reachable(listen)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+addr+"/healthz", nil)
	if err != nil {
		return err
	}
	// No proxy stands between a container and itself, and whose name stands in the
	// certificate says nothing about health.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only to say more
		if resp.StatusCode == http.StatusBadRequest && strings.Contains(string(body), "HTTPS server") {
			return errTLS
		}
		return fmt.Errorf("%s says %s: %s", req.URL, resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// reachable returns the address at which a server that listens on listen can
// be asked from the same machine.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", usageError{fmt.Sprintf("--listen: %v", err)}
	}
	if port == "0" {
		return "", usageError{"the address has port 0, so nobody knows the port; give --listen"}
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip == netip.IPv4Unspecified() {
		host = "127.0.0.1"
	} else if err == nil && ip == netip.IPv6Unspecified() {
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

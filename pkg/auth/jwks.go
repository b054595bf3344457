package auth

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// pace is how fast keys are fetched.
type pace struct {
	refresh  time.Duration // between two fetches
	cooldown time.Duration // at least, whatever is asked for
	timeout  time.Duration // of one fetch
	wait     time.Duration // at most, of a token whose key is not there
}

// jwks keeps the keys of an issuer. One goroutine, that of run, fetches; all
// others read what it has published.
type jwks struct {
	url   string
	pace  pace
	log   *zap.Logger
	state atomic.Pointer[fetched]
	ask   chan struct{} // holds one: somebody misses a key
	on    atomic.Bool   // run is running
}

// fetched is what one fetch has left. It is never changed, but for changed,
// which is closed when the next one takes its place.
type fetched struct {
	keys    keys
	good    bool      // some fetch was successful
	failed  bool      // the last one was not
	began   time.Time // the last one
	next    time.Time // no other begins before
	changed chan struct{}
}

func newJWKS(address string, refresh time.Duration, before *jwks, log *zap.Logger) *jwks {
	j := &jwks{
		url: address, log: log, ask: make(chan struct{}, 1),
		pace: pace{refresh: refresh, cooldown: 10 * time.Second, timeout: 10 * time.Second, wait: 3 * time.Second},
	}
	first := &fetched{changed: make(chan struct{})}
	if before != nil && before.url == address {
		old := before.state.Load()
		first.keys, first.good, first.began = old.keys, old.good, old.began
	}
	j.state.Store(first)
	return j
}

// find returns the keys that fit, and waits a little for one that is not there.
// A token can name any key, so what it can cause is bounded: one fetch per
// cooldown, however many tokens.
func (j *jwks) find(ctx context.Context, alg Algorithm, id string) (keys, *Error) {
	asked := time.Now()
	var timeout <-chan time.Time
	for {
		s := j.state.Load()
		if ks := s.keys.fit(alg, id); len(ks) > 0 {
			return ks, nil
		}
		switch {
		case s.began.After(asked) && !s.failed:
			return nil, refuse(KindUnknown, "the token is signed with a key that its issuer does not have")
		case s.began.After(asked), !j.on.Load():
			return nil, errUnavailable()
		}
		select {
		case j.ask <- struct{}{}:
		default: // somebody has asked already
		}
		if s.next.Sub(asked) > j.pace.wait {
			return nil, errUnavailable() // it would be in vain to wait
		}
		if timeout == nil {
			t := time.NewTimer(j.pace.wait)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-s.changed:
		case <-timeout:
			return nil, errUnavailable()
		case <-ctx.Done():
			return nil, errUnavailable()
		}
	}
}

func errUnavailable() *Error {
	return refuse(KindUnavailable, "the key of the token is not known yet, and the keys of its issuer cannot be had at the moment; try again")
}

// run fetches until ctx ends: at once, then every refresh, sooner if a fetch
// failed or somebody misses a key.
func (j *jwks) run(ctx context.Context) {
	if u, err := url.Parse(j.url); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		j.log.Warn("auth.jwt.jwks has no TLS: whoever is on the way can have any token believed", zap.String("url", j.url))
	}
	// Without keep-alive nothing is left behind when run returns.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: j.pace.timeout, ResponseHeaderTimeout: j.pace.timeout}
	client := &http.Client{Transport: transport, CheckRedirect: sameSecurity}
	j.on.Store(true)
	defer j.on.Store(false)
	failures := 0
	for {
		// What was asked so far is answered by this fetch.
		select {
		case <-j.ask:
		default:
		}
		began := time.Now()
		ks, err := fetch(ctx, client, j.url, j.pace.timeout)
		if ctx.Err() != nil {
			return
		}
		failures++
		if err == nil {
			failures = 0
		}
		j.publish(began, ks, err)
		if !j.rest(ctx, failures) {
			return
		}
	}
}

// publish makes what a fetch brought the state. The last good keys outlive a
// fetch that failed.
func (j *jwks) publish(began time.Time, ks keys, err error) {
	old := j.state.Load()
	s := &fetched{keys: ks, good: true, began: began, next: time.Now().Add(j.pace.cooldown), changed: make(chan struct{})}
	switch {
	case err != nil:
		s.keys, s.good, s.failed = old.keys, old.good, true
		j.log.Warn("the keys of auth.jwt.jwks cannot be had", zap.String("url", j.url), zap.Error(err), zap.Int("keys", len(s.keys)))
	case !old.good || old.failed:
		j.log.Info("the keys of auth.jwt.jwks are there", zap.String("url", j.url), zap.Int("keys", len(ks)))
	}
	j.state.Store(s)
	close(old.changed)
}

// rest waits until it is time for the next fetch, and reports whether there is
// to be one.
func (j *jwks) rest(ctx context.Context, failures int) bool {
	due := j.pace.refresh
	if failures > 0 {
		due = min(due, j.pace.cooldown<<min(failures-1, 10))
	}
	// So that the daemons of a cluster do not ask all at once.
	due -= rand.N(due/10 + 1)
	timer := time.NewTimer(due)
	defer timer.Stop()
	cool := time.NewTimer(j.pace.cooldown)
	defer cool.Stop()
	var ask chan struct{} // nil until it has cooled down
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-cool.C:
			ask = j.ask
		case <-ask:
			return true
		}
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

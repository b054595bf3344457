package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	centrifugePath    = "/connection/websocket"
	centrifugeChannel = "fan"
)

// rival is centrifuge serving the same: every session is subscribed to one
// channel, and a frame is a publication as long as chartd's frame. It is set up
// as its documentation advises for many connections.
type rival struct {
	node   *centrifuge.Node
	http   *http.Server
	serves sync.WaitGroup
	err    error // of Serve

	bytes int
	n     uint64
	start int64
}

func newCentrifuge(ln *tap, s setup) (*rival, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	r := &rival{node: node, bytes: 300}
	mux := http.NewServeMux()
	mux.Handle(centrifugePath, centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		ReadBufferSize: 512, UseWriteBufferPool: true,
		CheckOrigin: func(*http.Request) bool { return true },
		// As patient as chartd is: on a machine that clients share, nobody is to
		// be taken for dead.
		WriteTimeout:   10 * time.Second,
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: s.heartbeat, PongTimeout: s.heartbeat * 9 / 10},
	}))
	r.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	r.serves.Go(func() {
		if err := r.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			r.err = err
		}
	})
	return r, nil
}

func (r *rival) size(n int) { r.bytes = n }

// What stands around a publication's data.
const (
	pushOpen = `{"push":{"channel":"` + centrifugeChannel + `","pub":{"data":`
	pushEnd  = `}}}`
)

func (r *rival) fire() error {
	r.n++
	open, end := fmt.Sprintf(`{"n":%d,"pad":"`, r.n), `"}`
	whole := textFrame(r.bytes, pushOpen+open, end+pushEnd)
	data := whole[headerOf(r.bytes)+len(pushOpen) : len(whole)-len(pushEnd)]
	r.start = mono()
	_, err := r.node.Publish(centrifugeChannel, data)
	return err
}

func (r *rival) started() int64 { return r.start }

func (r *rival) metrics() (map[string]float64, error) { return nil, nil }

func (r *rival) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := r.node.Shutdown(ctx)
	if closed := r.http.Close(); err == nil {
		err = closed
	}
	r.serves.Wait()
	return errors.Join(err, r.err)
}

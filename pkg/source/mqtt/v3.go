package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	version311   = 4    // as the protocol counts
	failure      = 0x80 // in the answer to a subscription
	goodbyeInMS  = 250
	anyBrokerURL = "mqtt://broker" // the library wants one, though it is given the connection
)

// session3 is a connection in version 3.1.1.
type session3 struct {
	client paho.Client
	why    chan error
}

// connect3 says hello in version 3.1.1 over conn, which the session owns then.
func (s *Source) connect3(ctx context.Context, conn net.Conn, deliver func(message)) (session, error) {
	se := &session3{why: make(chan error, 1)}
	opts := paho.NewClientOptions().AddBroker(anyBrokerURL).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return conn, nil }).
		SetProtocolVersion(version311).SetClientID(s.id).SetUsername(s.cfg.Username).SetPassword(s.cfg.Password.Reveal()).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(s.cfg.KeepAlive.Std()).SetPingTimeout(patience).SetConnectTimeout(patience).SetWriteTimeout(patience).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			deliver(message{m.Topic(), m.Payload(), m.Retained()})
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			se.why <- fmt.Errorf("the connection ended: %w", err) // it is called once
		})
	se.client = paho.NewClient(opts)
	token := se.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		_ = conn.Close() // which ends the attempt
		<-token.Done()
		return nil, ctx.Err()
	}
	return se, token.Error()
}

func (se *session3) subscribe(ctx context.Context, filters []string, qos byte) error {
	wanted := make(map[string]byte, len(filters))
	for _, f := range filters {
		wanted[f] = qos
	}
	token := se.client.SubscribeMultiple(wanted, nil)
	select {
	case <-token.Done():
	case <-ctx.Done():
		return errors.New("the broker does not answer")
	}
	if sub, ok := token.(*paho.SubscribeToken); ok {
		for _, f := range filters {
			if sub.Result()[f] >= failure {
				return fmt.Errorf("topic %q: the broker refuses it", f)
			}
		}
	}
	return token.Error()
}

func (se *session3) lost() <-chan error { return se.why }

func (se *session3) close() { se.client.Disconnect(goodbyeInMS) }

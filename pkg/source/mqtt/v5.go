package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/chartd/chartd/pkg/source/payload"
)

const (
	// unacknowledged is how many messages with QoS 1 or 2 may be on their way.
	unacknowledged = 100
	// aroundPayload is what a message has beside its payload, in bytes, at most.
	aroundPayload = 70 << 10
)

// session5 is a connection in version 5.
type session5 struct {
	client *paho.Client
	why    chan error
}

// connect5 says hello in version 5 over conn, which the session owns then.
func (s *Source) connect5(ctx context.Context, conn net.Conn, deliver func(message)) (session, error) {
	se := &session5{why: make(chan error, 1)}
	tell := func(err error) {
		select {
		case se.why <- err:
		default: // only the first says why
		}
	}
	se.client = paho.NewClient(paho.ClientConfig{
		Conn:          packets.NewThreadSafeConn(conn),
		PacketTimeout: patience,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			deliver(message{r.Packet.Topic, r.Packet.Payload, r.Packet.Retain})
			return true, nil
		}},
		OnClientError: func(err error) { tell(fmt.Errorf("the connection ended: %w", err)) },
		OnServerDisconnect: func(d *paho.Disconnect) {
			why := short((&packets.Disconnect{ReasonCode: d.ReasonCode}).Reason())
			if d.ReasonCode == packets.DisconnectSessionTakenOver {
				why += " (another client has the same client_id)"
			}
			tell(fmt.Errorf("the broker ended the connection: %s", why))
		},
	})
	c := &paho.Connect{
		ClientID: s.id, CleanStart: true, KeepAlive: uint16(s.cfg.KeepAlive.Std() / time.Second),
		Username: s.cfg.Username, UsernameFlag: s.cfg.Username != "",
		Password: []byte(s.cfg.Password.Reveal()), PasswordFlag: s.cfg.Password != "",
		Properties: &paho.ConnectProperties{
			ReceiveMaximum: new(uint16(unacknowledged)), MaximumPacketSize: new(uint32(payload.MaxPayload + aroundPayload)),
		},
	}
	ack, err := se.client.Connect(ctx, c)
	if ack != nil && ack.ReasonCode >= packets.ConnackUnspecifiedError {
		return nil, errors.New(short((&packets.Connack{ReasonCode: ack.ReasonCode}).Reason()))
	}
	if err != nil {
		return nil, err
	}
	return se, nil
}

func (se *session5) subscribe(ctx context.Context, filters []string, qos byte) error {
	sub := &paho.Subscribe{}
	for _, f := range filters {
		sub.Subscriptions = append(sub.Subscriptions, paho.SubscribeOptions{Topic: f, QoS: qos})
	}
	ack, err := se.client.Subscribe(ctx, sub)
	if ack != nil {
		for i, code := range ack.Reasons {
			if code >= packets.SubackUnspecifiederror && i < len(filters) {
				return fmt.Errorf("topic %q: %s", filters[i], short((&packets.Suback{Reasons: ack.Reasons}).Reason(i)))
			}
		}
	}
	return err
}

func (se *session5) lost() <-chan error { return se.why }

func (se *session5) close() {
	_ = se.client.Disconnect(&paho.Disconnect{}) // it may be gone already
	<-se.client.Done()
}

// short returns the first words of a reason; the library adds what the standard
// says of it.
func short(reason string) string {
	words, _, _ := strings.Cut(reason, " - ")
	return strings.ToLower(words)
}

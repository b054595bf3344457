package kafka_test

import (
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/kafka"
)

// The source itself is tested in test/sources, against kfake.

func TestValidate(t *testing.T) {
	for _, tc := range []struct{ yaml, want string }{
		{"{type: kafka, brokers: ['h:9092', '[::1]:9092'], topics: [a.b, c-d_e]}", ""},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], start: latest, record_labels: {k: key, p: partition, h: header.x}}", ""},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], sasl: {username: u, password: hunter2}, tls_config: {enabled: true, ca_file: f}}", ""},
		{"{type: kafka, topics: [a]}", "brokers: is missing"},
		{"{type: kafka, brokers: ['h'], topics: [a]}", "brokers[0]: is no host and port"},
		{"{type: kafka, brokers: ['kafka://u:hunter2@h:9092'], topics: [a]}", "brokers[0]: is no host and port"},
		{"{type: kafka, brokers: ['u:hunter2@h:9092'], topics: [a]}", "brokers[0]: is no host and port"},
		{"{type: kafka, brokers: ['h:0'], topics: [a]}", "brokers[0]: is no host and port"},
		{"{type: kafka, brokers: ['h:9092']}", "topics: is missing"},
		{"{type: kafka, brokers: ['h:9092'], topics: ['a*']}", `topics[0]: "a*" is no name of a topic`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a, a]}", `topics[1]: "a" is no name of a topic, or stands there twice`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], start: begin}", `start: there is no place "begin" to start from`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], since: 0}", "since: 0 is out of range"},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], record_labels: {x: value}}", `record_labels.x: there is no "value" in a record`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], record_labels: {topic: key}}", `record_labels: "topic" is no name for a label`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], sasl: {mechanism: GSSAPI}}", `sasl.mechanism: there is no mechanism "GSSAPI"`},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], sasl: {password: hunter2}}", "sasl.username: is missing"},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], tls_config: {ca_file: f}}", "tls_config.enabled: is missing beside the others"},
		{"{type: kafka, brokers: ['h:9092'], topics: [a], timeout: 1ms}", "timeout: 1ms is out of range"},
	} {
		kinds := source.Registry{kafka.Kind: func() source.Config { return kafka.DefaultConfig() }}
		_, err := config.Parse("test.yaml", []byte("sources: {bus: "+tc.yaml+"}"), kinds, func(string) (string, bool) { return "", false })
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.yaml, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", tc.yaml, err, tc.want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the error shows the secret: %v", tc.yaml, err)
		}
	}
}

package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/chartd/chartd/pkg/problem"
)

// Validate returns what is wrong with t, which stands under the key tls_config.
// It opens no file.
func (t TLS) Validate() []problem.Problem {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return []problem.Problem{{Path: "tls_config", What: "has only one of cert_file and key_file", Want: "both or none"}}
	}
	return nil
}

// Load reads the certificates, for sources that speak something else than HTTP,
// too. An error begins with the key, under tls_config, that it is about. The
// caller owns what is returned.
func (t TLS) Load() (*tls.Config, error) {
	out := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s has no certificate in PEM", t.CAFile)
		}
	}
	if t.CertFile == "" {
		return out, nil
	}
	read := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file: %w", err)
		}
		return &pair, nil
	}
	if _, err := read(); err != nil {
		return nil, err
	}
	// It is read again at every connection, since certificates are renewed.
	out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return read() }
	return out, nil
}

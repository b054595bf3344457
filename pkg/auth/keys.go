package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/pkg/secret"
)

// key verifies JWTs, with the one algorithm that it is for. That is up to the
// key's own type: what the header of a token says can only fit it or not.
type key struct {
	alg      Algorithm
	id       string // "kid"; empty fits any
	material jwt.VerificationKey
	sum      digest // tells keys apart
}

// keys is a set of keys, never changed once made.
type keys []key

// fit returns the keys that a token with this header may be signed with.
func (ks keys) fit(alg Algorithm, id string) keys {
	var out keys
	for _, k := range ks {
		if k.alg == alg && (id == "" || k.id == "" || k.id == id) {
			out = append(out, k)
		}
	}
	return out
}

func (ks keys) has(sum digest) bool {
	return slices.ContainsFunc(ks, func(k key) bool { return k.sum == sum })
}

const (
	minRSA = 2048 // bits
	maxRSA = 8192 // bits: a larger one costs whoever verifies with it too much
)

// publicKey returns a key of the type that its algorithm needs.
func publicKey(material any, id string) (key, error) {
	k := key{id: id}
	switch pub := material.(type) {
	case *rsa.PublicKey:
		k.alg, k.material = RS256, pub
		if n := pub.N.BitLen(); n < minRSA || n > maxRSA {
			return key{}, fmt.Errorf("an RSA key of %d bits; it needs %d to %d", n, minRSA, maxRSA)
		}
	case *ecdsa.PublicKey:
		k.alg, k.material = ES256, pub
		if pub.Curve != elliptic.P256() {
			return key{}, fmt.Errorf("an elliptic curve key on %s; ES256 needs P-256", pub.Params().Name)
		}
	case ed25519.PublicKey:
		k.alg, k.material = EdDSA, pub
	default:
		return key{}, fmt.Errorf("a key of the type %T; it may be RSA, ECDSA on P-256 or Ed25519", material)
	}
	der, err := x509.MarshalPKIXPublicKey(k.material)
	if err != nil {
		return key{}, fmt.Errorf("an unusable key: %w", err)
	}
	k.sum = digestOf(string(der))
	return k, nil
}

// secretKey returns the key of HS256.
func secretKey(s secret.Text) key {
	return key{alg: HS256, material: []byte(s), sum: digestOf("HS256 " + string(s))}
}

// maxPEM bounds a file of keys, in bytes.
const maxPEM = 256 << 10

// readPEM returns the public keys in a file. Its errors hold nothing of what is
// in the file.
func readPEM(path string) (keys, error) {
	// A pipe or a device would let a reload hang.
	if info, err := os.Stat(path); err != nil {
		return nil, errors.New(withoutPath(err))
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New(withoutPath(err))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, errors.New(withoutPath(err))
	}
	if len(data) > maxPEM {
		return nil, fmt.Errorf("it has over %d bytes", maxPEM)
	}
	return parsePEM(data)
}

// withoutPath returns the cause of an error of package os: the path stands
// beside it already.
func withoutPath(err error) string {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// parsePEM returns the public keys in PEM blocks.
func parsePEM(data []byte) (keys, error) {
	var out keys
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		var material any
		var err error
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errors.New(`it holds a private key, which chartd must not have; write the public one with "openssl pkey -in private.pem -pubout -out public.pem"`)
		case block.Type == "PUBLIC KEY":
			material, err = x509.ParsePKIXPublicKey(block.Bytes)
		case block.Type == "RSA PUBLIC KEY":
			material, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case block.Type == "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				material = cert.PublicKey
			}
		default:
			return nil, fmt.Errorf("it holds a block %.40q, and no public key", block.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("its block %q cannot be read", block.Type)
		}
		k, err := publicKey(material, "")
		if err != nil {
			return nil, fmt.Errorf("it holds %w", err)
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, errors.New(`it holds no PEM block; a public key begins with "-----BEGIN PUBLIC KEY-----"`)
	}
	return out, nil
}

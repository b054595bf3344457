package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"
)

const (
	maxJWKS     = 1 << 20 // bytes of an answer
	maxJWKSKeys = 100
)

// fetch returns the keys that an issuer publishes. A key that is not for
// signatures, or of a kind that is not used here, is left out; an answer
// without any other is an error. An error holds nothing of the answer.
func fetch(ctx context.Context, client *http.Client, address string, timeout time.Duration) (keys, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "chartd")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxJWKS {
		return nil, fmt.Errorf("the answer has over %d bytes", maxJWKS)
	}
	return parseJWKS(body)
}

// parseJWKS reads a JSON Web Key Set.
func parseJWKS(body []byte) (keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("the answer is no key set: not JSON of the form {\"keys\":[…]}")
	}
	if len(set.Keys) > maxJWKSKeys {
		return nil, fmt.Errorf("the answer has %d keys; at most %d", len(set.Keys), maxJWKSKeys)
	}
	var out keys
	for _, raw := range set.Keys {
		if k, ok := parseJWK(raw); ok {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("none of the %d keys in the answer is one for RS256, ES256 or EdDSA signatures", len(set.Keys))
	}
	return out, nil
}

// parseJWK returns a key if it can verify signatures. A key says itself what it
// is for; one that contradicts its own type is left out.
func parseJWK(raw json.RawMessage) (key, bool) {
	var m jwkset.JWKMarshal
	if json.Unmarshal(raw, &m) != nil || len(m.KID) > maxKeyID {
		return key{}, false
	}
	if m.USE != "" && m.USE != jwkset.UseSig || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return key{}, false
	}
	// Who publishes a private key or a shared secret has lost it. The certificates
	// that a key may carry say nothing here: the set is believed, or not.
	if m.D != "" || m.K != "" {
		return key{}, false
	}
	m.X5U, m.X5C, m.X5T, m.X5TS256 = "", nil, "", ""
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, false
	}
	k, err := publicKey(jwk.Key(), m.KID)
	if err != nil || m.ALG != "" && string(m.ALG) != string(k.alg) {
		return key{}, false
	}
	return k, true
}

// sameSecurity lets a redirect lead to another address, but never from https
// to http.
func sameSecurity(req *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("it redirects over and over")
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("it redirects from https to http")
	}
	return nil
}

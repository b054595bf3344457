package auth

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

const (
	minToken  = 16 // bytes of a static token
	minSecret = 32 // bytes of a secret that signs
	maxLeeway = quantity.Duration(300e9)
)

// enabled reports whether the section says anything.
func (c Config) enabled() bool {
	return len(c.Tokens) > 0 || c.JWT.enabled() || len(c.Anonymous.Read)+len(c.Anonymous.Callback) > 0 ||
		c.Links.Secret != "" || len(c.Links.OldSecrets) > 0 || len(c.Ingest) > 0
}

// enabled reports whether any JWT can be believed.
func (j JWT) enabled() bool { return j.Secret != "" || len(j.Keys) > 0 || j.JWKS != "" }

// problems gathers what is wrong.
type problems []problem.Problem

func (ps *problems) add(path, what, want string) {
	*ps = append(*ps, problem.Problem{Path: path, What: what, Want: want})
}

// secret checks a text that nobody may guess. It says how long it is, and
// nothing else about it.
func (ps *problems) secret(path string, s secret.Text, least int) {
	want := fmt.Sprintf(`at least %d bytes that nobody can guess, as "openssl rand -base64 %d" makes them; keep them out of the file: "${NAME}"`, least, least)
	switch {
	case s == "":
		ps.add(path, "is missing", want)
	case len(s) < least:
		ps.add(path, fmt.Sprintf("has %d bytes", len(s)), want)
	case strings.TrimSpace(string(s)) != string(s) || strings.ContainsAny(string(s), "\r\n"):
		ps.add(path, "begins or ends with a space, or has more than one line", "nobody could show it: remove the space")
	}
}

// Validate returns every problem of the section, with paths in YAML's names
// and without a word of any secret. It reads the files of jwt.keys.
func (c Config) Validate() []problem.Problem {
	var ps problems
	c.checkTokens(&ps)
	ps = append(ps, problem.Under("jwt", c.JWT.validate())...)
	ps = append(ps, problem.Under("anonymous", c.Anonymous.validate())...)
	ps = append(ps, problem.Under("links", c.Links.validate())...)
	if len(ps) == 0 && c.enabled() && len(c.Tokens) == 0 && !c.JWT.enabled() && c.Links.Secret == "" && len(c.Anonymous.Read) == 0 {
		ps.add("", "nobody may read any chart", `tokens, jwt or links for those who may, or anonymous: {read: ["*"]} for everybody`)
	}
	return ps
}

// checkTokens checks both lists of tokens. No two may be the same, or nobody
// could say which one was shown.
func (c Config) checkTokens(ps *problems) {
	seen := map[digest]string{}
	one := func(path string, name string, token secret.Text, names map[string]bool) {
		switch {
		case name == "":
			ps.add(path+".name", "is missing", "a name for logs, as \"wall\"")
		case len(name) > maxGlob/2 || printable(name) != name:
			ps.add(path+".name", fmt.Sprintf("%.80q cannot name a token", name), "at most 64 printable characters")
		case names[name]:
			ps.add(path+".name", fmt.Sprintf("%q is the name of another token already", name), "a name of its own")
		}
		names[name] = true
		ps.secret(path+".token", token, minToken)
		switch sum := digestOf(string(token)); {
		case token == "":
		case len(token) > MaxCredential:
			ps.add(path+".token", fmt.Sprintf("has %d bytes", len(token)), fmt.Sprintf("at most %d", MaxCredential))
		case strings.HasPrefix(string(token), LinkPrefix):
			ps.add(path+".token", "begins as a signed link does", "another text: links are told apart by their first characters")
		case seen[sum] != "":
			ps.add(path+".token", "is the same text as "+seen[sum], "a text of its own")
		default:
			seen[sum] = path + ".token"
		}
	}
	names := map[string]bool{}
	for i, t := range c.Tokens {
		path := fmt.Sprintf("tokens[%d]", i)
		one(path, t.Name, t.Token, names)
		*ps = append(*ps, problem.Under(path, t.validate())...)
		if !t.Admin && len(t.Read) == 0 {
			ps.add(path+".read", "is missing", `the charts that the token may read, as ["*"]`)
		}
	}
	names = map[string]bool{}
	for i, t := range c.Ingest {
		one(fmt.Sprintf("ingest[%d]", i), t.Name, t.Token, names)
	}
}

// validate returns every problem of the names.
func (a Access) validate() []problem.Problem {
	ps := append(checkGlobs("read", a.Read), checkGlobs("callback", a.Callback)...)
	if len(a.Callback) > 0 && len(a.Read) == 0 {
		ps = append(ps, problem.Problem{Path: "callback", What: "names charts that may not be read", Want: "name them under read, too"})
	}
	return ps
}

func (j JWT) validate() problems {
	var ps problems
	if j.Secret != "" {
		ps.secret("secret", j.Secret, minSecret)
	}
	algs := j.ownKeys(&ps)
	for i, a := range j.Algorithms {
		if !slices.Contains(Algorithms(), a) {
			ps.add(fmt.Sprintf("algorithms[%d]", i), fmt.Sprintf("no algorithm %.40q", string(a)), problem.OneOf(a, Algorithms()))
		}
	}
	for _, k := range algs {
		if len(j.Algorithms) > 0 && !slices.Contains(j.Algorithms, k.alg) {
			ps.add(k.path, "is for "+string(k.alg)+", which algorithms leaves out", "add it there, or remove the key")
		}
	}
	if j.JWKS != "" {
		j.checkJWKS(&ps)
	}
	if j.Leeway < 0 || j.Leeway > maxLeeway {
		ps.add("leeway", fmt.Sprintf("is %v", j.Leeway), fmt.Sprintf("0 to %v", maxLeeway))
	}
	ps = append(ps, checkGlobs("read", j.Read)...)
	ps = append(ps, checkGlobs("callback", j.Callback)...)
	for i, name := range j.Claims {
		path := fmt.Sprintf("claims[%d]", i)
		switch {
		case name == "":
			ps.add(path, "is empty", `the name of a claim, as "email"`)
		case slices.Contains(j.Claims[:i], name):
			ps.add(path, fmt.Sprintf("%.80q is named already", name), "each once")
		}
	}
	if !j.enabled() && j.meant() {
		ps.add("", "has no key", "secret, keys or jwks")
	}
	return ps
}

// meant reports whether a section without any key says something else, so that
// somebody believes it does something.
func (j JWT) meant() bool {
	def := DefaultConfig().JWT
	return !reflect.DeepEqual(j, def) && !reflect.DeepEqual(j, JWT{})
}

// ownKey is what a configured key is for, and where it stands.
type ownKey struct {
	path string
	alg  Algorithm
}

func (j JWT) ownKeys(ps *problems) []ownKey {
	var out []ownKey
	if j.Secret != "" {
		out = append(out, ownKey{"secret", HS256})
	}
	for i, file := range j.Keys {
		path := fmt.Sprintf("keys[%d]", i)
		if file == "" {
			ps.add(path, "is empty", "the path of a PEM file with a public key")
			continue
		}
		ks, err := readPEM(file)
		if err != nil {
			what, want, _ := strings.Cut(err.Error(), "; ")
			ps.add(path, fmt.Sprintf("%.200q cannot be used: %s", file, what), want)
		}
		for _, k := range ks {
			out = append(out, ownKey{path, k.alg})
		}
	}
	return out
}

func (j JWT) checkJWKS(ps *problems) {
	const want = `the address of the issuer's key set, as "https://id.example.com/.well-known/jwks.json"`
	switch u, err := url.Parse(j.JWKS); {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		ps.add("jwks", "is not an address of the web", want)
	case u.User != nil:
		ps.add("jwks", "has a user and a password in it", want)
	}
	if low, high := quantity.Duration(60e9), quantity.Duration(86400e9); j.JWKSRefresh < low || j.JWKSRefresh > high {
		ps.add("jwks_refresh", fmt.Sprintf("is %v", j.JWKSRefresh), fmt.Sprintf("%v to %v", low, high))
	}
	if j.Audience == "" {
		ps.add("audience", "is missing", "with jwks it must be there: an issuer signs tokens for others, too")
	}
	if len(j.Keys) > 0 {
		ps.add("keys", "stand beside jwks", "one of them: which key a token needs would be unclear")
	}
	if len(j.Algorithms) > 0 && !slices.ContainsFunc(j.Algorithms, func(a Algorithm) bool { return a != HS256 }) {
		ps.add("algorithms", "leaves nothing for the keys of jwks", "RS256, ES256 or EdDSA")
	}
}

func (l Links) validate() problems {
	var ps problems
	if l.Secret != "" {
		ps.secret("secret", l.Secret, minSecret)
	}
	for i, s := range l.OldSecrets {
		path := fmt.Sprintf("old_secrets[%d]", i)
		ps.secret(path, s, minSecret)
		if s != "" && s == l.Secret { // both are the operator's own
			ps.add(path, "is the secret itself", "one that was in use before")
		}
	}
	if l.Secret == "" && len(l.OldSecrets)+len(l.Revoked) > 0 {
		ps.add("secret", "is missing", `the secret that signs links, of at least 32 bytes, as "openssl rand -base64 32" makes one`)
	}
	for i, id := range l.Revoked {
		if !isName(id) {
			ps.add(fmt.Sprintf("revoked[%d]", i), fmt.Sprintf("%.40q is not the id of a link", id), `what "chartd sign" wrote as the id, as "3f9k2m7qxw4t"`)
		}
	}
	return ps
}

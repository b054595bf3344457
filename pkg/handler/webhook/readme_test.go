package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What README tells a receiver in JavaScript is right: node runs it, as it stands
// there, on a request as it came.
func TestReadmeVerifies(t *testing.T) {
	node, err := exec.LookPath("node")
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("there is no node here, which runs what README says")
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "`Chartd-Signature: ")
	_, rest, _ = strings.Cut(rest, "```js\n")
	snippet, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README has no snippet in js behind the header")
	}
	const secret = "0123456789abcdef"
	var body, header string
	r := open(t, func(c *Config) { c.Secret = secret }, func(_ http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		body, header = string(b), req.Header.Get("Chartd-Signature")
	})
	if _, failed := r.post(`{"argument":"Zürich → «ß»"}`); failed != nil {
		t.Fatal(failed)
	}
	type request struct {
		What, Secret, Header, Body string
		Genuine                    bool
	}
	stamp, mac, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",")
	old := time.Now().Add(-6 * time.Minute)
	requests := []request{
		{"as it came", secret, header, body, true},
		{"another secret", secret + "0", header, body, false},
		{"another body", secret, header, body + " ", false},
		{"another time", secret, "t=" + stamp + "0," + mac, body, false},
		{"no MAC", secret, "t=" + stamp, body, false},
		{"half a MAC", secret, header[:len(header)-32], body, false},
		{"nothing", secret, "", body, false},
		{"six minutes old", secret, sign(secret, []byte(body), old), body, false},
	}
	asked, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	script := snippet + "\nconst asked = " + string(asked) +
		";\nconsole.log(JSON.stringify(asked.map((r) => genuine(r.Secret, r.Header, Buffer.from(r.Body)))));\n"
	cmd := exec.CommandContext(t.Context(), node, "--input-type=module", "-")
	cmd.Stdin = strings.NewReader(script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var said []bool
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(requests) {
		t.Fatalf("%s: %v", out, err)
	}
	for i, r := range requests {
		if said[i] != r.Genuine {
			t.Errorf("%s: %s", r.What, strconv.FormatBool(said[i]))
		}
	}
}

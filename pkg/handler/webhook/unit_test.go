package webhook

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/chartd/chartd/pkg/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFenced(t *testing.T) {
	for _, c := range []struct {
		addr string
		want bool
	}{
		{"127.0.0.1", true},
		{"127.255.0.1", true},
		{"::1", true},
		{"::", true},
		{"0.0.0.0", true},
		{"0.1.2.3", true},
		{"10.1.2.3", true},
		{"172.16.0.1", true},
		{"172.32.0.1", false},
		{"192.168.1.1", true},
		{"169.254.169.254", true}, // metadata
		{"fe80::1%eth0", true},
		{"fd00:ec2::254", true}, // metadata
		{"fc00::1", true},
		{"fec0::1", true},
		{"100.64.0.1", true},
		{"100.100.100.200", true}, // metadata
		{"100.128.0.1", false},
		{"168.63.129.16", true}, // metadata
		{"192.0.0.192", true},   // metadata
		{"224.0.0.1", true},
		{"ff02::1", true},
		{"239.255.255.250", true},
		{"255.255.255.255", true},
		{"240.0.0.1", true},
		{"198.18.0.1", true},
		{"::ffff:10.0.0.1", true},
		{"::ffff:8.8.8.8", false},
		{"::10.0.0.1", true},
		{"64:ff9b::a00:1", true},
		{"2002:a00:1::1", true},
		{"2001::1", true},
		{"8.8.8.8", false},
		{"1.1.1.1", false},
		{"2606:4700:4700::1111", false},
		{"2a00:1450:4001::1", false},
	} {
		if got := fenced(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s is fenced off: %v", c.addr, got)
		}
	}
}

// The breaker opens after so many failures in a row, lets one request through
// when its time is over, and believes what that one finds.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now state
		b := breaker{open: breakerOpen, changed: func(s state) { now = s }}
		pass := func(v verdict) {
			t.Helper()
			if _, ok := b.enter(); !ok {
				t.Fatalf("nothing passes in state %d", now)
			}
			b.leave(v)
		}
		refused := func(want time.Duration) {
			t.Helper()
			if wait, ok := b.enter(); ok || wait != want {
				t.Fatalf("in state %d: passes %v, wait %v, want %v", now, ok, wait, want)
			}
		}
		for range breakerFailures - 1 {
			pass(verdictBad)
		}
		pass(verdictGood) // not in a row any more
		for range breakerFailures - 1 {
			pass(verdictBad)
		}
		pass(verdictNone)
		if now != stateClosed {
			t.Fatalf("state %d after failures that are not %d in a row", now, breakerFailures)
		}
		pass(verdictBad)
		refused(breakerOpen)
		time.Sleep(breakerOpen - time.Second)
		refused(time.Second)
		time.Sleep(time.Second)

		// Half open: one passes; nobody waited for it, so the next one tries.
		if _, ok := b.enter(); !ok || now != stateHalf {
			t.Fatalf("state %d", now)
		}
		refused(0)
		b.leave(verdictNone)
		if _, ok := b.enter(); !ok {
			t.Fatalf("state %d", now)
		}
		b.leave(verdictBad)
		refused(breakerOpen)
		b.leave(verdictBad) // one that was under way when it opened
		time.Sleep(breakerOpen)
		pass(verdictGood)
		if now != stateClosed {
			t.Fatalf("state %d", now)
		}
		pass(verdictBad)
		pass(verdictGood)
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999": 0,
		"Fri, 02 Jan 2026 03:04:08 GMT": 3 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestParseAnswerRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`OK`:                        "it is no JSON: invalid character 'O' looking for beginning of value at byte 1",
		`{"set":`:                   "the JSON ends in the middle",
		`[]`:                        "a JSON array, where an object is wanted",
		`"x"`:                       "a JSON string, where an object is wanted",
		`{"sett":{}}`:               `the field "sett" is not known; there are set, samples, marks and reply`,
		`{"set":{"windw":"1m"}}`:    `the field "windw" is not known`,
		`{"set":{"window":"long"}}`: "is not a duration",
		`{"set":{"title":5}}`:       "set.title is a JSON number, where a text is wanted",
		`{"samples":[{"metric":"m","v":1,"x":1}]}`:                   `the field "x" is not known`,
		`{"samples":[{"v":1}]}`:                                      "samples[0].metric is missing",
		`{"samples":[{"metric":"m","v":1},{"metric":"m","v":null}]}`: "samples[1].v is missing",
		`{"samples":[{"metric":"m","v":"1"}]}`:                       "v is a JSON string, where a number is wanted",
		`{} {}`:                                                      "something follows the JSON",
		`{}x`:                                                        "something follows the JSON",
		"\x00":                                                       "it is no JSON",
	} {
		_, err := parseAnswer([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	for _, body := range []string{``, " \n", `{}`, "\xef\xbb\xbf{}\r\n", `null`, `{"set":null,"samples":[],"marks":null,"reply":null}`} {
		if _, err := parseAnswer([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Whatever a server writes is refused, or is what it says.
func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"set":{"window":"15m","hidden":["a"],"vars":{"host":"b"}},"samples":[{"metric":"m","labels":{"a":"b"},"t":1,"v":2}],"marks":[{"t":1,"text":"x"}],"reply":{"a":[1]}}`))
	f.Add([]byte(`{"samples":[{"metric":"m"}]}`))
	f.Add([]byte(`{"set":{}} {}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parseAnswer(body)
		if (a == nil) == (err == nil) {
			t.Fatal("neither an answer nor an error, or both")
		}
		if err != nil {
			if len(err.Error()) > 1000+len(body) {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for i, s := range a.Samples {
			if s.Metric == "" || s.V == nil {
				t.Errorf("sample %d lacks something", i)
			}
		}
	})
}

func TestNothingShowsASecret(t *testing.T) {
	c := &Config{URL: "https://me:hunter2@ops.example.com/x?token=hunter2", Secret: "hunter2hunter2hunter2", Headers: map[string]secret.Text{"Authorization": "Bearer hunter2"}}
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	h := &hook{cfg: c}
	var err error
	if h.url, err = c.URL.Parse("http", "https"); err != nil {
		t.Fatal(err)
	}
	h.hidden = hiddenOf(c, h.url)
	said := h.scrub(errors.New("they sent Bearer hunter2, hunter2 and hunter2hunter2hunter2"))
	if strings.Contains(said, "hunter2") {
		t.Errorf("it says %q", said)
	}
	if got := c.URL.String(); got != "https://ops.example.com/x" {
		t.Errorf("the address is shown as %s", got)
	}
}

func TestValidate(t *testing.T) {
	minus := -1
	for want, c := range map[string]Config{
		`url: is missing; an address as "https://ops.example.com/refresh"`: {},
		"url: is not a URL":                            {URL: "https://hunter2:%zz@x"},
		"url: does not begin with http:// or https://": {URL: "ftp://x"},
		"url: names no host":                           {URL: "https:///x"},
		"url: leads into this machine or a private network; allow_private: true if that is meant": {URL: "http://LocalHost.:80/"},
		"url: leads into this machine": {URL: "http://[::ffff:169.254.169.254]/"},
		"timeout: 2m is out of range":  {URL: "https://x", Timeout: 120e9},
		"secret: is too short":         {URL: "https://x", Secret: "hunter2"},
		"headers: \"a b\" is no name":  {URL: "https://x", Headers: map[string]secret.Text{"a b": "x"}},
		"headers.X: has a control":     {URL: "https://x", Headers: map[string]secret.Text{"X": "a\nb"}},
		"headers.host: is chartd's":    {URL: "https://x", Headers: map[string]secret.Text{"host": "b"}},
		"retries: is -1; 0 to 10":      {URL: "https://x", Retries: &minus},
	} {
		ps := c.Validate()
		if len(ps) != 1 || !strings.HasPrefix(ps[0].Error(), want) || strings.Contains(ps[0].Error(), "hunter2") {
			t.Errorf("%v, want %s", ps, want)
		}
	}
	ok := Config{URL: "http://127.0.0.1:1/", AllowPrivate: true}
	if ps := ok.Validate(); len(ps) > 0 {
		t.Error(ps)
	}
}

package browser

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/pkg/auth"
)

// The secrets of guarded.
const (
	wallToken  = "wall-token-0123456789"
	bossToken  = "boss-token-0123456789"
	jwtSecret  = "0123456789abcdef0123456789abcdef"
	linkSecret = "fedcba9876543210fedcba9876543210"
)

// guarded is allKinds for those who say who they are.
const guarded = allKinds + `
auth:
  tokens:
    - {name: wall, token: "` + wallToken + `", read: ["l*", stat], callback: ["l*"]}
    - {name: boss, token: "` + bossToken + `", admin: true}
  jwt: {secret: "` + jwtSecret + `", leeway: 3s}
  links: {secret: "` + linkSecret + `"}
`

// mint signs JSON Web Tokens in the page, as its own server would.
const mint = `
	const b64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
	const utf8 = new TextEncoder();
	window.mint = async (claims) => {
		const text = [{ alg: "HS256", typ: "JWT" }, claims].map((o) => b64(utf8.encode(JSON.stringify(o)))).join(".");
		const key = await crypto.subtle.importKey("raw", utf8.encode("` + jwtSecret + `"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
		return text + "." + b64(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text))));
	};
	window.soon = (s) => Math.floor(Date.now() / 1000) + s;`

// TestSignIn: the gallery asks who is there, says what is wrong with an answer,
// and keeps the right one out of sight.
func TestSignIn(t *testing.T) {
	d := start(t, guarded)
	feed(t, d)
	for _, tt := range []struct {
		name string
		look look
	}{
		{"light", look{}}, {"dark", look{dark: true}}, {"phone", look{width: 390, height: 780, mobile: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, tt.look)
			b.expect("the server responded with a status of 40") // Chromium reports each refusal
			b.goTo(d.URL())
			b.do(helpers)
			b.until(`document.querySelector("#sign-in input") === document.activeElement`)
			if n := eval[int](b, `return all().length`); n != 0 {
				t.Errorf("%d charts are there for anybody", n)
			}
			b.picture("sign-in-" + tt.name)

			const enter = `document.querySelector("#sign-in input").value = %q;
				document.querySelector("#sign-in button").click();`
			b.do(strings.ReplaceAll(enter, "%q", `"not a token"`))
			b.until(`document.getElementById("sign-in-why").textContent === "Nobody has this token."`)
			b.picture("sign-in-wrong-" + tt.name)

			b.do(strings.ReplaceAll(enter, "%q", `"`+wallToken+`"`))
			b.until(`all().length === 2 && all().every((el) => el.state === "live")`)
			b.until(`document.getElementById("sign-in").hidden`)
			b.picture("signed-in-" + tt.name)
			secret(b, wallToken)

			// A picture comes as a file: its address says nothing of the visitor.
			got := eval[string](b, `
				const made = Promise.withResolvers();
				const make = URL.createObjectURL;
				URL.createObjectURL = (blob) => { blob.text().then((text) => made.resolve(blob.type + " " + text.slice(0, 4))); return make.call(URL, blob); };
				document.querySelector("#card-line .links a").click();
				return made.promise;`)
			if !strings.HasPrefix(got, "image/svg+xml") || !strings.HasSuffix(got, "<svg") {
				t.Errorf("the picture of the chart: %q", got)
			}

			b.goTo(d.URL()) // the tab still knows
			b.do(helpers)
			b.until(`all().length === 2 && all().every((el) => el.state === "live")`)
			b.do(`document.getElementById("who").click()`)
			b.until(`document.querySelectorAll("chartd-chart").length === 0 && !document.getElementById("sign-in").hidden`)
			if kept := eval[bool](b, `return Object.values(sessionStorage).some((v) => v.includes("wall-token"))`); kept {
				t.Error("who signed out left the token behind")
			}
		})
	}
}

// TestAnonymous: who shows nothing sees what is for everybody, and can sign in.
func TestAnonymous(t *testing.T) {
	d := start(t, guarded+"  anonymous: {read: [stat]}\n")
	feed(t, d)
	b := open(t, look{})
	b.expect("the server responded with a status of 40")
	b.goTo(d.URL())
	b.do(helpers)
	b.until(`all().length === 1 && all()[0].state === "live"`)
	b.until(`document.getElementById("who").textContent === "Sign in" && document.getElementById("sign-in").hidden`)
	b.do(`document.getElementById("who").click()`)
	b.until(`!document.getElementById("sign-in").hidden`)
	b.picture("anonymous")
	b.do(`document.querySelector("#sign-in input").value = "` + bossToken + `"; document.querySelector("#sign-in button").click();`)
	b.until(`all().length === 8 && all().every((el) => el.state === "live") && document.getElementById("sign-in").hidden`)
	b.until(`document.getElementById("who").textContent === "Sign out"`)
	b.do(`document.getElementById("who").click()`)
	b.until(`all().length === 1 && all()[0].state === "live"`)
	// What is left is watched as nobody, too: the right to its callbacks is gone.
	b.until(`all()[0].callback("x").then(() => "raised", (err) => err.code).then((got) => got === "forbidden" || got)`)
}

// secret looks for a token wherever others could see it.
func secret(b *tab, token string) {
	b.t.Helper()
	text, err := json.Marshal(token)
	if err != nil {
		b.t.Fatal(err)
	}
	found := eval[[]string](b, `
		const token = `+string(text)+`, found = [];
		const look = (root) => {
			for (const el of root.querySelectorAll("*")) {
				for (const { name, value } of el.attributes) if (value.includes(token)) found.push(el.localName + "[" + name + "]");
				if (el.value?.includes?.(token)) found.push(el.localName + ".value");
				if (el.shadowRoot) look(el.shadowRoot);
			}
		};
		look(document);
		if (document.documentElement.textContent.includes(token)) found.push("text");
		if (location.href.includes(token)) found.push("address");
		if (document.cookie.includes(token)) found.push("cookie");
		if (Object.values(localStorage).some((v) => v.includes(token))) found.push("localStorage");
		for (const { name } of performance.getEntriesByType("resource")) if (name.includes(token)) found.push("request " + name.split("?")[0]);
		return found;`)
	if len(found) > 0 {
		b.t.Errorf("the token is in %v", found)
	}
}

// TestTokenInAddress: a token in the fragment leaves the address at once.
func TestTokenInAddress(t *testing.T) {
	d := start(t, guarded)
	feed(t, d)
	for _, path := range []string{"", "c/line"} {
		b := open(t, look{})
		b.goTo(d.URL() + path + "?theme=dark#token=" + bossToken)
		b.do(helpers)
		b.until(`all().length > 0 && all().every((el) => el.state === "live")`)
		if at := eval[string](b, `return location.href`); at != d.URL()+path+"?theme=dark" {
			t.Errorf("the address is %s", at)
		}
		secret(b, bossToken)
	}
}

// TestLinkAsTokenInAFrame: what a signed link opens is framed where it was
// signed for alone, which the server cannot see to if the link stands in the
// fragment: there a page in a frame does not take it. A token it takes.
func TestLinkAsTokenInAFrame(t *testing.T) {
	d := start(t, guarded)
	feed(t, d)
	_, link, err := auth.Links{Secret: linkSecret}.Sign(auth.Link{Chart: "line", Expires: time.Now().Add(time.Hour), Origins: []string{d.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ token, want string }{{link, "lost"}, {bossToken, "live"}} {
		b := open(t, look{})
		b.expect("the server responded with a status of 40")
		// A page of chartd's own frames nothing; here it is to look into the frame.
		if _, err := chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
			t.Fatal(err)
		}
		b.goTo(d.URL() + "blank")
		b.do(`
			const frame = Object.assign(document.createElement("iframe"), { src: "/c/line#token=` + tt.token + `" });
			document.body.append(frame);
			window.framed = () => frame.contentDocument?.querySelector("chartd-chart")?.state;`)
		b.until(`framed() === "` + tt.want + `"`)
	}
}

// TestChartPageAsks: the page of one chart asks in the chart's place, and
// opens with a link.
func TestChartPageAsks(t *testing.T) {
	d := start(t, guarded)
	feed(t, d)
	b := open(t, look{width: 800, height: 500})
	b.goTo(d.URL() + "c/line")
	b.do(helpers)
	b.until(`!document.getElementById("sign-in").hidden && all()[0].hidden`)
	b.picture("sign-in-chart")
	b.do(`document.querySelector("#sign-in input").value = "` + wallToken + `"; document.querySelector("#sign-in button").click();`)
	b.until(`all()[0].state === "live" && !all()[0].hidden && document.getElementById("sign-in").hidden`)

	_, link, err := auth.Links{Secret: linkSecret}.Sign(auth.Link{Chart: "line", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b = open(t, look{width: 800, height: 500})
	b.goTo(d.URL() + "c/line?link=" + url.QueryEscape(link))
	b.do(helpers)
	b.until(`all()[0].state === "live"`)

	// As an attribute, in a page of somebody else's making.
	b = open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `add({ src: "line", link: "` + link + `" }); add({ src: "stat", link: "` + link + `" })`)
	b.until(`all()[0].state === "live" && all()[1].state === "lost"`)
}

// TestForbidden: a chart that may not be seen says so in its place; those
// beside it go on, and tokens have connections of their own.
func TestForbidden(t *testing.T) {
	d := start(t, guarded)
	feed(t, d)
	for _, dark := range []bool{false, true} {
		b := open(t, look{width: 900, height: 620, dark: dark})
		b.goTo(d.URL() + "blank")
		b.do(helpers + `
			const { auth } = await import("/chartd.js");
			auth(() => "` + wallToken + `");
			document.body.style.cssText = "display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin: 1rem; color-scheme: light dark; background: canvas";
			add({ src: "line" }); add({ src: "gauge" }); add({ src: "stat" });
			const own = document.createElement("chartd-chart");
			own.src = "gauge";
			own.token = "` + bossToken + `";
			document.body.append(own);`)
		b.until(`[0, 2, 3].every((i) => all()[i].state === "live") && all()[1].state === "lost"`)
		b.picture("forbidden-" + map[bool]string{false: "light", true: "dark"}[dark])
		const want = `you may not see this chart: no right to watch chart "gauge"`
		if got := eval[string](b, `return all()[1].shadowRoot.getElementById("notice").textContent`); got != want {
			t.Errorf("in its place: %q; want %q", got, want)
		}
		if seen := eval[bool](b, `return getComputedStyle(all()[1].shadowRoot.getElementById("notice")).display !== "none"`); !seen {
			t.Error("nobody sees that")
		}
		if n := metric(t, d.URL(), "chartd_connections"); n == n {
			t.Errorf("metrics are shown to anybody: %v connections", n)
		}
		if got := eval[string](b, `return all()[2].callback("x").catch((err) => err.code)`); got != "forbidden" {
			t.Errorf("a callback without the right: %s", got)
		}
		if got := eval[bool](b, `return all()[0].callback("x").then((r) => r.handled === false)`); !got {
			t.Error("a callback with the right came to nothing")
		}
		secret(b, wallToken)
		secret(b, bossToken)
	}
}

// TestTokensPass: a chart whose own token changes goes on without a blink, and
// leaves no connection behind.
func TestTokensPass(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, guarded)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + mint + `
		window.open = new Set();
		const W = WebSocket;
		window.WebSocket = class extends W {
			constructor(...args) {
				super(...args);
				open.add(this);
				this.addEventListener("close", () => open.delete(this));
			}
		};
		window.next = async () => { el.token = await mint({ sub: "zoe", jti: crypto.randomUUID?.() ?? String(Math.random()), exp: soon(600), chartd_read: ["*"] }); };
		await import("/chartd.js");
		window.el = document.createElement("chartd-chart");
		el.src = "line";
		await next();
		document.body.append(el);`)
	b.until(`el.state === "live"`)
	b.do(never + `window.states = []; el.addEventListener("statechange", (e) => states.push(e.detail.state));`)
	for range 3 {
		b.do(`window.was = svg(el); await next();`)
		b.until(`svg(el) !== was && el.state === "live"`)
	}
	b.until(`open.size === 1`)
	if n, states := eval[int](b, `return blank`), eval[[]string](b, `return states`); n != 0 || strings.Contains(strings.Join(states, " "), "lost") {
		t.Errorf("blank %d times, states %v", n, states)
	}
}

// TestRenewal: a provider's next token is said on the open socket, before the
// first ends; a refused one is asked for once more.
func TestRenewal(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, guarded)
	feed(t, d)
	b := open(t, look{})
	b.expect("WebSocket connection to")
	b.goTo(d.URL() + "blank")
	b.do(helpers + mint + `
		window.sockets = 0;
		const W = WebSocket;
		window.WebSocket = class extends W { constructor(...args) { super(...args); sockets++; } };
		window.asked = [];
		const { auth } = await import("/chartd.js");
		auth(async ({ server, refused }) => {
			asked.push(refused);
			if (server !== location.origin + "/") throw new Error(server);
			if (asked.length === 1) return "nobody's token, to begin with";
			return mint({ sub: "zoe", exp: soon(5), jti: String(asked.length), chartd_read: ["*"] });
		});
		window.el = add({ src: "line" });
		window.states = [];
		el.addEventListener("statechange", (e) => states.push(e.detail.state));`)
	b.until(`el.state === "live"`)
	if asked := eval[[]bool](b, `return asked`); len(asked) != 2 || asked[0] || !asked[1] {
		t.Errorf("asked %v; want once, and once more after the refusal", asked)
	}
	// Each token is good for 5 s, and 3 s of leeway, in which a busy machine comes
	// to say the next one: three are needed for this.
	b.until(`asked.length >= 5`)
	if n := eval[int](b, `return sockets`); n != 2 {
		t.Errorf("%d sockets; want that of the refusal and one more", n)
	}
	if states := eval[[]string](b, `return states`); strings.Join(states, " ") != "live" {
		t.Errorf("states %v", states)
	}

	// Somebody else's token does not carry the session on.
	b.do(`const { auth } = await import("/chartd.js"); auth(() => "` + bossToken + `");`)
	b.until(`sockets === 3 && el.state === "live"`)

	// Without any, the chart says so.
	b.do(`const { auth } = await import("/chartd.js"); window.el2 = document.createElement("chartd-chart"); el2.src = "line"; el2.token = "nobody's"; document.body.append(el2);`)
	b.until(`el2.state === "lost" && el2.shadowRoot.getElementById("notice").textContent === "refused by the server: nobody has this token"`)
	b.picture("unauthorized")
}

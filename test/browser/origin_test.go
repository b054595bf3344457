package browser

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestOtherOrigin puts charts into a page of another site, whose policy allows
// no inline style: the script comes from the daemon, and the charts with it.
func TestOtherOrigin(t *testing.T) {
	t.Parallel() // it mostly waits
	var script string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:; script-src http://127.0.0.1:*; connect-src ws://127.0.0.1:*")
		_, _ = io.WriteString(w, `<!doctype html><title>another site</title><link rel="icon" href="data:,">
			<script type="module" src="`+script+`chartd.js"></script>
			<chartd-chart src="line" id="Chart1"><img src="data:," alt="until there is a picture"></chartd-chart>`)
	}))
	defer site.Close()
	allowed := start(t, allKinds+"\nserver: {origins: [\""+site.URL+"\"]}\n")
	feed(t, allowed)
	other := start(t, allKinds)

	t.Run("allowed", func(t *testing.T) {
		script = allowed.URL()
		b := open(t, look{})
		b.goTo(site.URL)
		b.do(helpers)
		b.until(`Chart1.state === "live" && getComputedStyle(svg(Chart1).querySelector(".ff")).fill === "rgb(27, 36, 48)"`)
		b.do(`await Chart1.callback("hello")`)
	})
	t.Run("by its attribute", func(t *testing.T) {
		script = other.URL()
		b := open(t, look{})
		b.expect("WebSocket connection to")
		b.goTo(site.URL)
		b.do(helpers)
		b.until(`Chart1.state === "lost" && !svg(Chart1)`)
		b.do(`Chart1.setAttribute("server", "` + allowed.URL() + `")`)
		b.until(`Chart1.state === "live"`)
	})
}

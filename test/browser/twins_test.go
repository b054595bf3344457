package browser

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/gorilla/websocket"
)

// TestTwins: two charts of a page are one subscription, because the server knows
// what they ask for as one view. One of them asks again from further back: what it
// is sent then is nothing new to the other, which goes on without a word.
func TestTwins(t *testing.T) {
	t.Parallel() // it mostly waits
	back := make(chan struct{})
	url := stand(t, func(c *websocket.Conn, gone <-chan struct{}) {
		say := func(text string) { _ = c.WriteMessage(websocket.TextMessage, []byte(text)) }
		patch := func(base int) string {
			return fmt.Sprintf(`{"t":"patch","v":"cpu~1","e":"e","b":%d,"r":%d,"o":[["t","x","translate(-%d 0)"]]}`, base, base+1, base+1)
		}
		say(`{"t":"welcome","session":"s"}`)
		for subs := 0; subs < 2; {
			_, text, err := c.ReadMessage()
			if err != nil {
				return
			}
			if text[0] != '[' {
				text = append(append([]byte{'['}, text...), ']')
			}
			var ms []struct {
				T  string `json:"t"`
				ID int    `json:"id"`
			}
			if err := json.Unmarshal(text, &ms); err != nil {
				t.Error(err)
				return
			}
			for _, m := range ms {
				if m.T != "sub" {
					continue
				}
				subs++
				say(fmt.Sprintf(`[{"t":"ok","id":%d,"v":"cpu~1"},{"t":"full","v":"cpu~1","e":"e","r":2,"svg":%q}]`, m.ID,
					"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8000 4000'><g data-k='x' transform='translate(-2 0)'></g></svg>"))
			}
		}
		select {
		case <-back:
		case <-gone:
			return
		}
		say(patch(1)) // for who was at 1
		say(patch(2))
		_, text, err := c.ReadMessage()
		for ; err == nil; _, text, err = c.ReadMessage() {
			var m struct {
				T string `json:"t"`
			}
			if json.Unmarshal(text, &m) == nil && m.T == "resync" {
				t.Errorf("the page says %s", text)
			}
		}
	})
	b := open(t, look{})
	b.goTo(url + "/blank")
	b.do(helpers + `add({ src: "cpu" }); add({ src: "cpu", window: "20s" });`)
	b.until(`all().every((el) => el.state === "live" && x(el) === "translate(-2 0)")`)
	back <- struct{}{}
	b.until(`all().every((el) => x(el) === "translate(-3 0)")`)
}

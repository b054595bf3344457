package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/chartd/chartd/pkg/secret"
)

// signatureHeader is "t=1700000000,v1=<hex>": when it was signed, in seconds
// since 1970, and the HMAC-SHA256 of that number, a dot and the body.
const signatureHeader = "Chartd-Signature"

// sign returns the value of signatureHeader.
func sign(key secret.Text, body []byte, now time.Time) string {
	t := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

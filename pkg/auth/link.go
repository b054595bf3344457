package auth

import (
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

// Link is what a signed embed link allows to whoever has it: to watch one
// chart.
type Link struct {
	// ID names the link in logs, in `revoked`, and when its sessions are
	// counted. Sign makes one up if it is empty.
	ID string
	// Chart is the chart's name.
	Chart string
	// Expires is when the link ends, to the second.
	Expires time.Time
	// Origins are the origins of the pages that may show it, as
	// "https://example.com"; none is any.
	Origins []string
	// View is what the viewer sees and cannot alter; what it does not mention
	// is free.
	View plotting.Change
	// MaxWindow is how far back the viewer may look, from now; 0 is any time.
	MaxWindow quantity.Duration
	// MaxSessions bounds the sessions that the link has at the same time; 0
	// does not.
	MaxSessions int
}

// LinkPrefix begins every signed link's token.
const LinkPrefix = "chartd1_"

// Sign returns the token of a link: what stands behind "?link=" and in the
// attribute link. The error says what in the link makes no sense, or that
// there is no secret.
func (l Links) Sign(link Link) (string, error) { return "", nil }

package session

// Session is one client across its connections. Handlers may keep values in
// it, which live as long as the session.
type Session struct{}

// Name returns a short name for logs. It is not the token.
func (s *Session) Name() string { return "" }

// Peer returns who is, or last was, at the other end.
func (s *Session) Peer() Peer { return Peer{} }

// Values returns the session's values.
func (s *Session) Values() *Values { return nil }

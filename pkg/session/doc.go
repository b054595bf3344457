// Package session holds the clients of chartd: a Hub of sessions, what each of
// them watches, the callbacks they raise, and what is on its way to them.
//
// A Session outlives its connection. A Client is one connection of it: it has
// the subscriptions and an outbox. The reader of the connection calls Handle;
// callbacks run beside it, one at a time for each session; frames come from the
// loops of package ticker. None of them ever waits for a socket: a goroutine
// that writes exists only while there is something to write.
package session

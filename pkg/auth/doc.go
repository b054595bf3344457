// Package auth says who may do what: it turns the token that a client shows
// into a [Grant], the charts it may read and call, and until when.
//
// A [Gate] is made from the `auth:` section of the configuration and is not
// changed afterwards; a reload makes a new one, and [Gate.Confirm] carries open
// sessions over. There are four kinds of credentials: signed embed links
// ([Link]), which have a prefix of their own; static tokens, compared as a whole;
// JSON Web Tokens; and none at all (anonymous). What is not of one kind is never
// tried as another. Writers of samples have tokens of their own, see
// [Gate.Ingest].
//
// No credential, and no part of one, is ever in an error, a log line or a
// name that this package gives out.
package auth

package auth

import "crypto/sha256"

// digest is what a secret is compared by.
type digest [sha256.Size]byte

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

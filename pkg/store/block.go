package store

// blockSize is how many samples a full block holds: 16 KiB, the largest size
// that the allocator still serves from its small-object caches.
const blockSize = 1024

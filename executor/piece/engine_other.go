//go:build !amd64

package piece

// hasVectors is true on the other architecture that gohashtree is written for,
// arm64: NEON is part of it.
func hasVectors() bool { return true }

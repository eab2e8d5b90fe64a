package bucket

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// MintToken makes a token with which its bearer may fetch one piece until ttl has
// passed. Only its hash is stored: it is told once. deal is free text.
func (s *Shelf) MintToken(ctx context.Context, id, deal string, ttl time.Duration) (token string, expires time.Time, err error) {
	c, err := piece.Parse(id)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%w: %w", job.ErrNotFound, err)
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw[:])
	now := s.d.Now()
	expires = now.Add(ttl)
	err = s.d.Ledger.AddPieceToken(ctx, job.PieceToken{Hash: hashOf(token), Piece: c.CID().String(), Deal: deal, Expires: expires}, now)
	return token, expires, err
}

// CheckToken tells whether a token lets its bearer fetch a piece (CID v1).
func (s *Shelf) CheckToken(ctx context.Context, token, id string) (bool, error) {
	t, err := s.d.Ledger.PieceToken(ctx, hashOf(token))
	if errors.Is(err, job.ErrNotFound) {
		return false, nil
	}
	return err == nil && t.Piece == id && s.d.Now().Before(t.Expires), err
}

// hashOf is looked up as it is: the token has 256 random bits, so that neither a
// salt nor a comparison in constant time would add to it.
func hashOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

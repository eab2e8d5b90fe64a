package piece

import (
	"errors"
	"testing"

	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/ipfs/go-cid"
)

// TestCIDsAgree compares both versions with go-fil-commcid.
func TestCIDsAgree(t *testing.T) {
	for _, n := range []uint64{127, 128, 200, 254, 255, 1016, 1017, 4064, 10_000, 1 << 20, 127 << 13, 127<<13 + 1, 1<<30 + 5, 127 << 28} {
		c := Commitment{Root: [32]byte(random(n, 32)), Payload: n, Padded: PaddedSize(n)}
		c.Root[31] &= 0x3f
		v1, err := commcid.DataCommitmentV1ToCID(c.Root[:])
		if err != nil || !c.CID().Equals(v1) {
			t.Errorf("%d: %s, %v; want %s", n, c.CID(), err, v1)
		}
		want, err := commcid.DataCommitmentToPieceCidv2(c.Root[:], n)
		if err != nil {
			t.Fatal(err)
		}
		v2, err := c.CIDv2()
		if err != nil || !v2.Equals(want) {
			t.Errorf("%d: %s, %v; want %s", n, v2, err, want)
		}
		if back, err := Parse(v2.String()); err != nil || back != c {
			t.Errorf("%d: %s reads as %v, %v", n, v2, back, err)
		}
		if back, err := Parse(v1.String()); err != nil || back.Root != c.Root || back.Padded != 0 || back.Payload != 0 {
			t.Errorf("%d: %s reads as %v, %v", n, v1, back, err)
		}
		if _, size, err := commcid.PieceCidV1FromV2(v2); err != nil || size != n {
			t.Errorf("%d: go-fil-commcid reads %d, %v", n, size, err)
		}
	}
}

// TestCIDv2Vectors are CIDs that JavaScript libraries print (@filoz/synapse-core,
// @web3-storage/data-segment); the first of nine bytes, less than we commit to.
func TestCIDv2Vectors(t *testing.T) {
	small := commitTo(t, append([]byte("test data"), make([]byte, 118)...))
	small.Payload = 9
	zeros := commitTo(t, make([]byte, 127))
	for want, c := range map[string]Commitment{
		"bafkzcibcoybm2jlqsbekq6uluyl7xm5ffemw7iuzni5ez3a27iwy4qu3ssebqdq": small,
		"bafkzcibcaabdomn3tgwgrh3g532zopskstnbrd2n3sxfqbze7rxt7vqn7veigmy": zeros,
	} {
		if got, err := c.CIDv2(); err != nil || got.String() != want {
			t.Errorf("%d bytes: %s, %v; want %s", c.Payload, got, err, want)
		}
		if got, err := Parse(want); err != nil || got != c {
			t.Errorf("%s reads as %v, %v; want %v", want, got, err, c)
		}
	}
	// Printed pairs of both versions, with the raw sizes known elsewhere.
	if got, err := Parse("bafkzcibf3ck4uais4fgennh4hbfx5z3i6hue4xgq2cdeamtus4hjbsrjs5lf2azbxmsa"); err != nil || got.Payload != 5_010_728 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Parse("bafkzcibewpkqwewyhz3yxutlxbpt2nkb6si5qilg4qqtzzij32uw7ammsc73a4wkgi"); err != nil || got.Payload != 8_131_917 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCIDv2OfPaddedPiece(t *testing.T) {
	c, err := commitTo(t, random(1, 300)).Pad(4096)
	if err != nil {
		t.Fatal(err)
	}
	v2, err := c.CIDv2()
	if err != nil {
		t.Fatal(err)
	}
	back, err := FromCID(v2)
	if err != nil || back.Root != c.Root || back.Padded != 4096 || back.Payload != MaxPayload(4096) {
		t.Errorf("%s reads as %v, %v", v2, back, err)
	}
	for _, bad := range []Commitment{{}, {Padded: 128}, {Padded: 128, Payload: 128}, {Padded: 100, Payload: 90}} {
		if v, err := bad.CIDv2(); err == nil {
			t.Errorf("%v has CID %s", bad, v)
		}
	}
}

func TestNotPieces(t *testing.T) {
	good, err := commitTo(t, random(1, 300)).CIDv2()
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, to byte) cid.Cid {
		b := append([]byte{}, good.Bytes()...)
		b[at] = to
		c, err := cid.Cast(b)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	n := good.ByteLen() - 32
	for name, c := range map[string]cid.Cid{
		"undefined":         cid.Undef,
		"height too small":  change(n-1, 1),
		"height too large":  change(n-1, 60),
		"other height":      change(n-1, 3),
		"more than 254 bit": change(n+31, 0xff),
	} {
		if got, err := FromCID(c); !errors.Is(err, ErrNotPiece) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, text := range []string{"", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "nonsense", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Package sig is the cryptography that Filecoin's machine and wallets need, in pure Go: signatures of kind secp256k1, BLS and delegated
// (Ethereum), the keys to make them, the hash functions of actors, and the data commitment of a sector.
//
// What it is not: no wallet that keeps secrets safe (keys here are for development networks), and no verification of proofs of storage.
// Every result equals what the reference machine ref-fvm and Lotus give; where they could differ the comment says what decides.
//
// Map of files:
//   - verify.go: [Verify], a signature against the signer's address, and [VerifyMessage], that of a signed message.
//   - secp.go: secp256k1: [RecoverSecp], which the machine offers to actors, and deterministic signing.
//   - bls.go: BLS12-381 with public keys in G1: [VerifyBLS], [VerifyBLSAggregate], [AggregateBLS].
//   - key.go: [Key] from a seed or from bytes, its addresses, signing of data and of messages.
//   - eth.go: Ethereum transactions as signed messages and back, for any chain ID.
//   - hash.go: [Hash], the functions of the crypto.hash system call.
//   - unsealed.go: [UnsealedCID], the commitment to a sector's pieces.
//
// Invariants: nothing here draws randomness, so the same key and data give the same signature; no input makes a function panic.
package sig

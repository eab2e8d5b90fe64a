package fvm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbor "github.com/ipfs/go-ipld-cbor"
	mh "github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// ErrMissingBlock is wrapped by the error that a [Blockstore] returns for a block it does
// not have. To the machine that is fatal: state that should exist is lost.
var ErrMissingBlock = errors.New("block is not in the store")

// Blockstore is content-addressed storage of blocks.
type Blockstore interface {
	// Get returns the block's bytes, which the caller must not change. For a block that is
	// not there the error wraps [ErrMissingBlock].
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
	// Put stores data under c, which is data's CID. The store may keep data; the caller
	// must not change it afterwards.
	Put(ctx context.Context, c cid.Cid, data []byte) error
}

// Memory is a [Blockstore] in memory, safe for concurrent use.
type Memory struct {
	mu     sync.RWMutex
	blocks map[cid.Cid][]byte
}

// NewMemory returns an empty [Memory].
func NewMemory() *Memory { return &Memory{blocks: make(map[cid.Cid][]byte)} }

// Get implements [Blockstore].
func (m *Memory) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.blocks[c]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", c, ErrMissingBlock)
	}
	return data, nil
}

// Put implements [Blockstore].
func (m *Memory) Put(_ context.Context, c cid.Cid, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocks[c] = data
	return nil
}

// ForEach calls do for every block, in no order. do must not use the store.
func (m *Memory) ForEach(do func(c cid.Cid, data []byte)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for c, data := range m.blocks {
		do(c, data)
	}
}

// Len returns how many blocks are stored.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.blocks)
}

// Codecs of blocks, as multicodec numbers.
const (
	codecRaw     = 0x55
	codecCBOR    = 0x51
	codecDagCBOR = 0x71
	// Sector commitments: CIDs that name no block.
	codecUnsealed = 0xf101
	codecSealed   = 0xf102
)

const (
	hashIdentity   = 0x00
	hashBlake2b256 = 0xb220
)

// BlockCID returns the CID that Filecoin gives a block of state: version 1, blake2b-256.
func BlockCID(codec uint64, data []byte) (cid.Cid, error) {
	h, err := mh.Sum(data, hashBlake2b256, 32)
	if err != nil {
		return cid.Undef, fmt.Errorf("hash a block of %d bytes: %w", len(data), err)
	}
	return cid.NewCidV1(codec, h), nil
}

// PutBlock stores data under the CID of [BlockCID] and returns it.
func PutBlock(ctx context.Context, bs Blockstore, codec uint64, data []byte) (cid.Cid, error) {
	c, err := BlockCID(codec, data)
	if err != nil {
		return cid.Undef, err
	}
	if err := bs.Put(ctx, c, data); err != nil {
		return cid.Undef, fmt.Errorf("store block %s: %w", c, err)
	}
	return c, nil
}

// CBORStore shows a [Blockstore] as the store of objects that the HAMT and AMT libraries
// (and, wrapped by adt.WrapStore, the actors' Go types) work on. Objects must come from
// cbor-gen.
func CBORStore(bs Blockstore) cbor.IpldStore { return cborStore{bs} }

type cborStore struct{ bs Blockstore }

// Get implements [cbor.IpldStore].
func (s cborStore) Get(ctx context.Context, c cid.Cid, out any) error {
	data, err := s.bs.Get(ctx, c)
	if err != nil {
		return err
	}
	u, ok := out.(cbg.CBORUnmarshaler)
	if !ok {
		return fmt.Errorf("cannot decode block %s into a %T, which has no UnmarshalCBOR", c, out)
	}
	if err := u.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("decode block %s as a %T: %w", c, out, err)
	}
	return nil
}

// Put implements [cbor.IpldStore].
func (s cborStore) Put(ctx context.Context, v any) (cid.Cid, error) {
	m, ok := v.(cbg.CBORMarshaler)
	if !ok {
		return cid.Undef, fmt.Errorf("cannot encode a %T, which has no MarshalCBOR", v)
	}
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		return cid.Undef, fmt.Errorf("encode a %T: %w", v, err)
	}
	return PutBlock(ctx, s.bs, codecDagCBOR, b.Bytes())
}

// LegacyBlocks shows a [Blockstore] as the store of block values that lotus's state
// packages take (state.LoadStateTree, init.Load and others by way of NewCborStore).
func LegacyBlocks(bs Blockstore) cbor.IpldBlockstore { return legacyBlocks{bs} }

type legacyBlocks struct{ bs Blockstore }

// Get implements [cbor.IpldBlockstore].
func (l legacyBlocks) Get(ctx context.Context, c cid.Cid) (blockformat.Block, error) {
	data, err := l.bs.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	return blockformat.NewBlockWithCid(data, c)
}

// Put implements [cbor.IpldBlockstore].
func (l legacyBlocks) Put(ctx context.Context, b blockformat.Block) error {
	return l.bs.Put(ctx, b.Cid(), b.RawData())
}

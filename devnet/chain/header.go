package chain

import (
	"context"
	"fmt"

	amt2 "github.com/filecoin-project/go-amt-ipld/v2"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// winningPoSt is the size of a winning PoSt, and the kind for 2 KiB sectors.
const winningPoSt = 192

// header builds the block at height on a parent, with these messages; signed signs it.
func (c *Chain) header(ctx context.Context, parent *node, height abi.ChainEpoch, fork uint64, bls, secp []*types.SignedMessage) (*types.BlockHeader, error) {
	execution := c.executionOf(parent)
	messages, err := c.messageMeta(ctx, bls, secp)
	if err != nil {
		return nil, err
	}
	aggregate, err := aggregateOf(bls)
	if err != nil {
		return nil, fmt.Errorf("aggregate of BLS signatures: %w", err)
	}
	weight, err := c.weight(ctx, parent)
	if err != nil {
		return nil, fmt.Errorf("weight: %w", err)
	}
	seed := c.config.Seed
	ticket := ticket(seed, parent.header().Ticket, height, fork)
	return &types.BlockHeader{
		Miner:         c.miner,
		Ticket:        ticket,
		ElectionProof: &types.ElectionProof{WinCount: 1, VRFProof: entropy(seed, 96, "election", ticket.VRFProof)},
		BeaconEntries: beaconEntries(seed, parent.height(), height),
		WinPoStProof: []proof.PoStProof{{
			PoStProof:  abi.RegisteredPoStProof_StackedDrgWinning2KiBV1,
			ProofBytes: entropy(seed, winningPoSt, "winning post", ticket.VRFProof),
		}},
		Parents:               parent.ts.Cids(),
		ParentWeight:          weight,
		Height:                height,
		ParentStateRoot:       execution.Root,
		ParentMessageReceipts: execution.Receipts,
		Messages:              messages,
		BLSAggregate:          aggregate,
		Timestamp:             c.timestamp(height),
		ParentBaseFee:         c.baseFeeAfter(parent),
	}, nil
}

// signed signs a header and stores it.
func (c *Chain) signed(ctx context.Context, header types.BlockHeader) (*types.BlockHeader, error) {
	unsigned, err := header.SigningBytes()
	if err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	if header.BlockSig, err = c.worker.sign(unsigned); err != nil {
		return nil, fmt.Errorf("sign header: %w", err)
	}
	return &header, c.putHeader(ctx, &header)
}

func (c *Chain) putHeader(ctx context.Context, header *types.BlockHeader) error {
	block, err := header.ToStorageBlock()
	if err != nil {
		return fmt.Errorf("encode header: %w", err)
	}
	if err := c.store.Put(ctx, block.Cid(), block.RawData()); err != nil {
		return fmt.Errorf("store header %s: %w", block.Cid(), err)
	}
	return nil
}

func (c *Chain) timestamp(epoch abi.ChainEpoch) uint64 {
	return uint64(c.config.GenesisTime.Unix()) + uint64(epoch)*uint64(c.config.Epoch.Seconds())
}

// NextBaseFee is the base fee of the tipset after ts.
func (c *Chain) NextBaseFee(ts *types.TipSet) (abi.TokenAmount, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return abi.TokenAmount{}, err
	}
	return c.baseFeeAfter(n), nil
}

func (c *Chain) baseFeeAfter(n *node) abi.TokenAmount {
	signed := n.all()
	messages := make([]*types.Message, len(signed))
	for i, m := range signed {
		messages[i] = &m.Message
	}
	return nextBaseFee(c.config.NetworkVersion, n.header().ParentBaseFee, messages)
}

// messageMeta stores the messages of a block and gives the CID of their two arrays.
func (c *Chain) messageMeta(ctx context.Context, bls, secp []*types.SignedMessage) (cid.Cid, error) {
	blsRoot, err := c.messageArray(ctx, bls)
	if err != nil {
		return cid.Undef, fmt.Errorf("BLS messages: %w", err)
	}
	secpRoot, err := c.messageArray(ctx, secp)
	if err != nil {
		return cid.Undef, fmt.Errorf("secp256k1 messages: %w", err)
	}
	meta, err := (&types.MsgMeta{BlsMessages: blsRoot, SecpkMessages: secpRoot}).ToStorageBlock()
	if err != nil {
		return cid.Undef, err
	}
	return meta.Cid(), c.store.Put(ctx, meta.Cid(), meta.RawData())
}

func (c *Chain) messageArray(ctx context.Context, messages []*types.SignedMessage) (cid.Cid, error) {
	array := amt2.NewAMT(fvm.CBORStore(c.store))
	for i, m := range messages {
		block, err := onChain(m).ToStorageBlock()
		if err != nil {
			return cid.Undef, fmt.Errorf("encode message %d: %w", i, err)
		}
		if err := c.store.Put(ctx, block.Cid(), block.RawData()); err != nil {
			return cid.Undef, fmt.Errorf("store message %s: %w", block.Cid(), err)
		}
		link := cbg.CborCid(block.Cid())
		if err := array.Set(ctx, uint64(i), &link); err != nil {
			return cid.Undef, fmt.Errorf("message %d: %w", i, err)
		}
	}
	return array.Flush(ctx)
}

// weight is that of the chain up to and with a tipset, by expected consensus's
// formula. A network without power, whose weight Filecoin does not define, counts
// as having two bytes, so that longer chains stay heavier.
func (c *Chain) weight(ctx context.Context, n *node) (big.Int, error) {
	tree, err := fvm.LoadStateTree(ctx, c.store, n.header().ParentStateRoot)
	if err != nil {
		return big.Int{}, err
	}
	power, err := powerIn(ctx, c.store, tree)
	if err != nil {
		return big.Int{}, err
	}
	log2 := int64(1)
	if total := power.TotalQualityAdjPower; total.GreaterThan(big.NewInt(1)) {
		log2 = int64(total.BitLen() - 1)
	}
	out := big.Add(n.ts.ParentWeight(), big.NewInt(log2<<8))
	wins := n.header().ElectionProof.WinCount
	more := big.NewInt((log2 * buildconstants.WRatioNum << 8) * wins)
	return big.Add(out, big.Div(more, big.NewInt(int64(buildconstants.BlocksPerEpoch*buildconstants.WRatioDen)))), nil
}

func isBLS(m *types.SignedMessage) bool { return m.Signature.Type == crypto.SigTypeBLS }

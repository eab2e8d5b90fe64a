package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/storagepools"
	"github.com/tidegate/tidegate/executor/piece"
)

func poolCommand() *cli.Command {
	termFlags := storeFlags()[1:3] // terms, replicas
	return &cli.Command{
		Name: "pool", Usage: "store small pieces as one aggregate, and share its cost",
		Description: "A pool is a deal of PerpetualStorage for an aggregate, and has the deal's number. Its terms stand for good. What members pay is theirs in shares;\n" +
			"a member leaves with its part of what no running slot has reserved. See docs/pools.md.",
		Commands: []*cli.Command{
			{
				Name: "open", Usage: "open a pool for an aggregate", ArgsUsage: "CID PIECECID",
				Description: "Of a bucket of a daemon: its manifest's CID, its piece, padded size and size are in tidegate bucket show.",
				Flags: append(poolSendFlags(
					&cli.Uint64Flag{Name: "size", Usage: "`BYTES` of the aggregate, padded; needed unless PIECECID has them (v2)"},
					&cli.Uint64Flag{Name: "car-size", Usage: "`BYTES` that a provider fetches; likewise"},
					&cli.StringFlag{Name: "value", Value: "0", Usage: "first shares, the sender's, in `FIL`"}), termFlags...),
				Action: poolOpen,
			},
			{
				Name: "show", Usage: "show what a pool has, what a member's part of it is worth, and what a piece would pay", ArgsUsage: "POOL",
				Flags: chainFlags(poolsFlag(),
					&cli.StringFlag{Name: "member", Usage: "`ADDRESS` of a member"},
					&cli.Uint64Flag{Name: "size", Usage: "padded `BYTES` of a piece that might join"}),
				Action: poolShow,
			},
			{
				Name: "join", Usage: "join a pool with a piece that lies in its aggregate", ArgsUsage: "POOL PROOF.json",
				Description: "The proof is what a daemon answers to GET /api/v1/pieces/{cid}/proof; the contract checks it.",
				Flags:       poolSendFlags(&cli.StringFlag{Name: "value", Usage: "what is paid, in `FIL` (default: the piece's part)"}),
				Action:      poolJoin,
			},
			{
				Name: "pay", Usage: "add to a member's shares of a pool; anyone may", ArgsUsage: "POOL FIL",
				Flags: poolSendFlags(&cli.StringFlag{Name: "member", Usage: "`ADDRESS` whose shares they are (default: the sender)"}), Action: poolPay,
			},
			{
				Name: "leave", Usage: "give shares up for their part of what is free; pay it out with: tidegate pool withdraw", ArgsUsage: "POOL",
				Flags: poolSendFlags(&cli.StringFlag{Name: "shares", Usage: "how many (default: all that the sender has)"}), Action: poolLeave,
			},
			{
				Name: "withdraw", Usage: "pay out what the sender left pools with",
				Flags: poolSendFlags(&cli.StringFlag{Name: "to", Usage: "`ADDRESS` that is paid, of any kind (default: the sender)"}), Action: poolWithdraw,
			},
		},
	}
}

func poolsFlag() cli.Flag {
	return &cli.StringFlag{Name: "pools", Usage: "`ADDRESS` of StoragePools; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_POOLS", "TIDEGATE_CHAIN_POOLS")}
}

func poolSendFlags(more ...cli.Flag) []cli.Flag {
	return append(chainFlags(append([]cli.Flag{poolsFlag()}, senderFlags()...)...), more...)
}

func poolsAt(c *cli.Command, chain *big.Int) (common.Address, error) {
	return contractAt(c, chain, "pools", bindings.StoragePools)
}

// poolState is a pool as it stands, and an account's part of it. Amounts are attoFIL.
type poolState struct {
	Pool      uint64 `json:"poolId"`
	Piece     string `json:"pieceCid"`
	Padded    uint64 `json:"paddedSize"`
	Pieces    uint32 `json:"pieces"`
	Active    uint8  `json:"active"`
	Until     uint32 `json:"until,omitempty"`
	Free      string `json:"free"`
	Value     string `json:"value"`
	AllShares string `json:"allShares"`
	Shares    string `json:"shares,omitempty"` // the account's
	Worth     string `json:"worth,omitempty"`  // of them: their part of the value
	Price     string `json:"price,omitempty"`  // of a piece to join
}

// poolAt is a StoragePools and who calls it.
type poolAt struct {
	*spAt
	at  common.Address
	abi *storagepools.StoragePools
}

func openPools(ctx context.Context, c *cli.Command) (*poolAt, error) {
	p := &poolAt{abi: storagepools.NewStoragePools()}
	var err error
	p.spAt, err = openCaller(ctx, c, func(s *spAt) (err error) {
		p.at, err = poolsAt(c, s.chain)
		return err
	})
	return p, err
}

// readPool reads a pool, with an account's part of it.
func readPool(ctx context.Context, client *ethclient.Client, at common.Address, pool uint64, account *common.Address) (*poolState, error) {
	abi := storagepools.NewStoragePools()
	v, err := view(ctx, client, at, abi.PackPoolOf(pool), abi.UnpackPoolOf)
	if err != nil {
		return nil, err
	}
	s := &poolState{
		Pool: pool, Piece: piece.Commitment{Root: v.CommP}.CID().String(), Padded: v.PaddedSize, Pieces: v.Pieces, Active: v.Active, Until: v.Until,
		Free: v.Free.String(), Value: v.Value.String(), AllShares: v.Shares.String(),
	}
	if account == nil {
		return s, nil
	}
	shares, err := view(ctx, client, at, abi.PackSharesOf(pool, *account), abi.UnpackSharesOf)
	if err != nil {
		return nil, err
	}
	worth := new(big.Int)
	if v.Shares.Sign() > 0 {
		worth.Div(worth.Mul(shares, v.Value), v.Shares)
	}
	s.Shares, s.Worth = shares.String(), worth.String()
	return s, nil
}

// tell reads the pool after a call.
func (p *poolAt) tell(ctx context.Context, pool uint64, done *spDone) (err error) {
	if done.Pool, err = readPool(ctx, p.client, p.at, pool, &p.seen); err != nil {
		return err
	}
	credit, err := view(ctx, p.client, p.at, p.abi.PackCreditOf(p.seen), p.abi.UnpackCreditOf)
	if err != nil {
		return err
	}
	done.Credit = credit.String()
	done.words = fmt.Sprintf("Pool %d is worth %s, of which the sender's part is %s; %d copies are active.", pool, filOf(done.Pool.Value), filOf(done.Pool.Worth), done.Pool.Active)
	if credit.Sign() > 0 {
		done.words += fmt.Sprintf(" The sender can withdraw %s.", filText(credit))
	}
	return nil
}

// call performs a call about a pool.
func (p *poolAt) call(ctx context.Context, pool uint64, value *big.Int, data []byte, before ...string) error {
	return p.perform(ctx, spStep{to: p.at, value: value, data: data, before: before, after: func(ctx context.Context, _ uint64, _ []*types.Log, done *spDone) error {
		return p.tell(ctx, pool, done)
	}})
}

func poolOpen(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 2 {
		return usage("pool open needs the CID of an aggregate and its piece CID")
	}
	root, err := cid.Decode(c.Args().First())
	if err != nil {
		return usage("%q is not a CID: %v", c.Args().First(), err)
	}
	whole, err := piece.Parse(c.Args().Get(1))
	if err != nil {
		return usage("%v", err)
	}
	if n := c.Uint64("size"); n != 0 {
		whole.Padded = n
	}
	if n := c.Uint64("car-size"); n != 0 {
		whole.Payload = n
	}
	if whole.Padded == 0 || whole.Payload == 0 {
		return usage("%s does not say how large it is: give --size and --car-size", c.Args().Get(1))
	}
	value, err := fil(c.String("value"))
	if err != nil {
		return err
	}
	terms, err := termsOf(c)
	if err != nil {
		return err
	}
	p, err := openPools(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	return p.perform(ctx, spStep{
		to: p.at, value: value, data: p.abi.PackOpenPool(root.Bytes(), whole.CID().Bytes(), whole.Padded, whole.Payload, storagepools.DealTerms(terms)),
		before: []string{"opens", fmt.Sprintf("a pool for %s, %s, with %d copies for %s each; its terms stand for good", whole.CID(), bytesText(whole.Padded), terms.Replicas, days(terms.Term))},
		after: func(ctx context.Context, _ uint64, logs []*types.Log, done *spDone) error {
			if e := eventIn(logs, p.at, p.abi.UnpackPoolOpenedEvent); e != nil {
				return p.tell(ctx, e.DealId, done)
			}
			return fmt.Errorf("transaction %s opened no pool: is %s a StoragePools?", done.Transaction, p.at)
		},
	})
}

func poolShow(ctx context.Context, c *cli.Command) error {
	id, err := poolArg(c, 1)
	if err != nil {
		return err
	}
	var member *common.Address
	if text := c.String("member"); text != "" {
		if !common.IsHexAddress(text) {
			return usage("--member %q is not an address", text)
		}
		a := common.HexToAddress(text)
		member = &a
	}
	client, chain, err := dialRPC(ctx, c)
	if err != nil {
		return err
	}
	defer client.Close()
	at, err := poolsAt(c, chain)
	if err != nil {
		return err
	}
	s, err := readPool(ctx, client, at, id, member)
	if err != nil {
		return err
	}
	if size := c.Uint64("size"); size != 0 {
		abi := storagepools.NewStoragePools()
		price, err := view(ctx, client, at, abi.PackPriceOf(id, size), abi.UnpackPriceOf)
		if err != nil {
			return err
		}
		s.Price = price.String()
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, s)
	}
	return pairs(c.Root().Writer, "pool", fmt.Sprint(id), "aggregate", s.Piece, "size", bytesText(s.Padded), "pieces", fmt.Sprint(s.Pieces), "active copies", fmt.Sprint(s.Active),
		"until", epochText(uint64(s.Until)), "free", filOf(s.Free), "value", filOf(s.Value), "the member's part", filPart(s.Worth), "a piece pays", filPart(s.Price))
}

func filPart(atto string) string {
	if atto == "" {
		return ""
	}
	return filOf(atto)
}

func poolJoin(ctx context.Context, c *cli.Command) error {
	id, err := poolArg(c, 2)
	if err != nil {
		return err
	}
	mine, proof, err := readProof(c.Args().Get(1))
	if err != nil {
		return err
	}
	p, err := openPools(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	price, err := view(ctx, p.client, p.at, p.abi.PackPriceOf(id, mine.PaddedSize), p.abi.UnpackPriceOf)
	if err != nil {
		return err
	}
	value := price
	if text := c.String("value"); text != "" {
		if value, err = fil(text); err != nil {
			return err
		}
		if value.Cmp(price) < 0 {
			return fmt.Errorf("the piece's part is %s", filText(price))
		}
	}
	return p.call(ctx, id, value, p.abi.PackJoin(id, mine, proof), "joins", fmt.Sprintf("pool %d with a piece of %s", id, bytesText(mine.PaddedSize)), "its part", filText(price))
}

// readProof reads what a daemon answers about a piece in a bucket.
func readProof(path string) (storagepools.PooledPiece, storagepools.InclusionProof, error) {
	var in struct {
		CID    string               `json:"cid"`
		Piece  string               `json:"pieceCid"`
		Padded uint64               `json:"paddedSize"`
		Proof  piece.InclusionProof `json:"proof"`
	}
	var none storagepools.PooledPiece
	var out storagepools.InclusionProof
	raw, err := os.ReadFile(path)
	if err != nil {
		return none, out, fmt.Errorf("the proof: %w", err)
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return none, out, usage("%s is no proof of inclusion: %v", path, err)
	}
	root, err := cid.Decode(in.CID)
	if err != nil {
		return none, out, usage("%s: %q is not a CID: %v", path, in.CID, err)
	}
	of, err := piece.Parse(in.Piece)
	if err != nil {
		return none, out, usage("%s: %v", path, err)
	}
	data := func(m piece.MerklePath) storagepools.ProofData {
		d := storagepools.ProofData{Index: m.Index}
		for _, node := range m.Path {
			d.Path = append(d.Path, node)
		}
		return d
	}
	out = storagepools.InclusionProof{ProofSubtree: data(in.Proof.Subtree), ProofIndex: data(in.Proof.Index)}
	return storagepools.PooledPiece{Cid: root.Bytes(), PieceCid: of.CID().Bytes(), PaddedSize: in.Padded}, out, nil
}

func poolPay(ctx context.Context, c *cli.Command) error {
	id, err := poolArg(c, 2)
	if err != nil {
		return err
	}
	value, err := fil(c.Args().Get(1))
	if err != nil {
		return err
	}
	p, err := openPools(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	member := p.seen
	if text := c.String("member"); text != "" {
		if !common.IsHexAddress(text) {
			return usage("--member %q is not an address", text)
		}
		member = common.HexToAddress(text)
	}
	return p.call(ctx, id, value, p.abi.PackPay(id, member), "pays into", fmt.Sprintf("pool %d, for shares of %s", id, member))
}

func poolLeave(ctx context.Context, c *cli.Command) error {
	id, err := poolArg(c, 1)
	if err != nil {
		return err
	}
	p, err := openPools(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	shares, err := view(ctx, p.client, p.at, p.abi.PackSharesOf(id, p.seen), p.abi.UnpackSharesOf)
	if err != nil {
		return err
	}
	if text := c.String("shares"); text != "" {
		var ok bool
		if shares, ok = new(big.Int).SetString(text, 10); !ok || shares.Sign() <= 0 {
			return usage("--shares %q is not a number of shares", text)
		}
	}
	if shares.Sign() == 0 {
		return fmt.Errorf("%s has no shares of pool %d", p.words, id)
	}
	return p.call(ctx, id, nil, p.abi.PackLeave(id, shares), "gives up", fmt.Sprintf("%s shares of pool %d; their part of what running slots reserved stays there", shares, id))
}

func poolWithdraw(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usage(paysAll, "pool")
	}
	p, err := openPools(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	return p.payOut(ctx, "leave a pool first", credited{
		p.at, p.abi.PackCreditOf(p.seen), p.abi.UnpackCreditOf, p.abi.PackWithdraw,
		amountIn(p.abi.UnpackPoolWithdrawnEvent, func(e *storagepools.StoragePoolsPoolWithdrawn) *big.Int { return e.Amount }),
	})
}

func poolArg(c *cli.Command, n int) (uint64, error) {
	words := map[string]string{"join": " and the file with the proof", "pay": " and an amount of FIL"}[c.Name]
	if c.Args().Len() != n {
		return 0, usage("pool %s needs the number of a pool%s", c.Name, words)
	}
	return number(c.Args().First(), "pool", 1)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/providerregistry"
)

func spRegisterCommand() *cli.Command {
	flags := chainFlags(senderFlags()...)
	return &cli.Command{
		Name: "register", Usage: "enter a miner into the ProviderRegistry, change its entry, or take it out",
		Description: "Daemons that make deals read there where a miner is reached, and what it takes; that only, and nobody vouches for it. What is not\n" +
			"named stays as it was. The sender must be one of the miner's controlling addresses (owner, worker, control).",
		Flags: append(flags,
			&cli.StringFlag{Name: "registry", Usage: "`ADDRESS` of ProviderRegistry; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_REGISTRY")},
			&cli.StringFlag{Name: "miner", Required: true, Usage: "the `MINER`, f01234"},
			&cli.Uint64Flag{Name: "min-piece", Usage: "smallest piece that is taken, in padded `BYTES`"},
			&cli.Uint64Flag{Name: "max-piece", Usage: "largest piece that is taken, in padded `BYTES`"},
			&cli.Uint64Flag{Name: "min-rate", Usage: "least that is taken, in `attoFIL` an epoch for a GiB"},
			&cli.StringFlag{Name: "region", Usage: "where the miner is, `CC` as in ISO 3166-1"},
			&cli.StringFlag{Name: "market", Usage: "base `URL` of its MK20 market; \"\" for none"},
			&cli.StringFlag{Name: "retrieval", Usage: "`URL` that ends in /, to which a piece's CID is appended to fetch it; \"\" for none"},
			&cli.BoolFlag{Name: "remove", Usage: "take the miner out"}),
		Action: spRegister,
	}
}

// entryState is a miner's entry.
type entryState struct {
	Miner     uint64 `json:"minerId"`
	MinPiece  uint64 `json:"minPieceSize"` // padded bytes
	MaxPiece  uint64 `json:"maxPieceSize"`
	MinRate   uint64 `json:"minRate"` // attoFIL an epoch for a GiB
	Region    string `json:"region,omitempty"`
	Market    string `json:"market,omitempty"`
	Retrieval string `json:"retrieval,omitempty"`
}

// entryOf is a miner's entry, and whether it has one.
func entryOf(ctx context.Context, s *spAt, at common.Address, miner uint64) (providerregistry.ProviderEntry, bool, error) {
	abi := providerregistry.NewProviderRegistry()
	raw, err := s.client.CallContract(ctx, ethereum.CallMsg{To: &at, Data: abi.PackEntryOf(miner)}, nil)
	if reason, reverted := revertData(err); reverted {
		if e, err := abi.UnpackError(reason); err == nil {
			if _, unknown := e.(*providerregistry.ProviderRegistryProviderRegistryUnknown); unknown {
				return providerregistry.ProviderEntry{}, false, nil
			}
		}
	}
	if err != nil {
		return providerregistry.ProviderEntry{}, false, fmt.Errorf("asking %s for f0%d: %w", at, miner, said(err))
	}
	e, err := abi.UnpackEntryOf(raw)
	if err != nil {
		return e, false, fmt.Errorf("%s is not the contract that is meant: %w", at, err)
	}
	return e, true, nil
}

// changed is an entry with what the flags name.
func changed(c *cli.Command, e providerregistry.ProviderEntry) (providerregistry.ProviderEntry, error) {
	for name, field := range map[string]*uint64{"min-piece": &e.MinPieceSize, "max-piece": &e.MaxPieceSize, "min-rate": &e.MinRate} {
		if c.IsSet(name) {
			*field = c.Uint64(name)
		}
	}
	for name, field := range map[string]*string{"market": &e.Market, "retrieval": &e.Retrieval} {
		if !c.IsSet(name) {
			continue
		}
		*field = c.String(name)
		if u, err := url.Parse(*field); *field != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return e, usage("--%s %q is not an http(s) URL", name, *field)
		}
	}
	if e.Retrieval != "" && !strings.HasSuffix(e.Retrieval, "/") {
		return e, usage("--retrieval %q does not end in /: a piece's CID is appended to it", e.Retrieval)
	}
	if c.IsSet("region") {
		region := strings.ToUpper(c.String("region"))
		if len(region) != 2 || strings.Trim(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return e, usage("--region %q is not two letters, as DE", c.String("region"))
		}
		e.Region = [2]byte([]byte(region))
	}
	switch {
	case e.MaxPieceSize == 0:
		return e, usage("--max-piece is needed: with 0 no piece fits")
	case e.MinPieceSize > e.MaxPieceSize:
		return e, usage("the smallest piece, %d bytes, is above the largest, %d", e.MinPieceSize, e.MaxPieceSize)
	}
	return e, nil
}

func spRegister(ctx context.Context, c *cli.Command) error {
	miner, err := minerID(c.String("miner"))
	if err != nil {
		return err
	}
	var at common.Address
	s, err := openCaller(ctx, c, func(s *spAt) (err error) {
		at, err = contractAt(c, s.chain, "registry", bindings.ProviderRegistry)
		return err
	})
	if err != nil {
		return err
	}
	defer s.close()
	e, known, err := entryOf(ctx, s, at, miner)
	if err != nil {
		return err
	}
	abi := providerregistry.NewProviderRegistry()
	step := spStep{to: at, data: abi.PackRemove(miner), before: []string{"takes out", fmt.Sprintf("f0%d, so that no daemon finds it there", miner)}}
	if !c.Bool("remove") {
		if e, err = changed(c, e); err != nil {
			return err
		}
		step.data = abi.PackRegister(miner, e)
		step.before = []string{
			"enters", fmt.Sprintf("f0%d", miner), "pieces", fmt.Sprintf("%d to %d bytes, padded", e.MinPieceSize, e.MaxPieceSize),
			"at least", fmt.Sprintf("%d attoFIL an epoch for a GiB", e.MinRate), "region", strings.TrimRight(string(e.Region[:]), "\x00"), "market", e.Market, "retrieval", e.Retrieval,
		}
	} else if !known {
		return fmt.Errorf("f0%d has no entry at %s", miner, at)
	}
	step.after = func(ctx context.Context, _ uint64, _ []*types.Log, done *spDone) error {
		now, known, err := entryOf(ctx, s, at, miner)
		switch {
		case err != nil:
			return err
		case known == c.Bool("remove"):
			return errors.New("the registry says otherwise by now: somebody else has changed the entry")
		case !known:
			done.words = fmt.Sprintf("f0%d has no entry any more.", miner)
			return nil
		}
		done.words = fmt.Sprintf("f0%d is entered, with pieces of %d to %d bytes.", miner, now.MinPieceSize, now.MaxPieceSize)
		done.Entry = &entryState{
			Miner: miner, MinPiece: now.MinPieceSize, MaxPiece: now.MaxPieceSize, MinRate: now.MinRate, Region: strings.TrimRight(string(now.Region[:]), "\x00"), Market: now.Market, Retrieval: now.Retrieval,
		}
		return nil
	}
	return s.perform(ctx, step)
}

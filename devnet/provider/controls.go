package provider

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Controls are the fleet as methods of JSON-RPC: each exported method is
// devnet_<method> and takes one object. Addresses are 0x… or f…, amounts attoFIL as
// strings or numbers, bytes 0x… hex.
type Controls struct{ fleet *Fleet }

// NewControls gives the methods for a server's Config.Controls.
func NewControls(f *Fleet) *Controls { return &Controls{f} }

// anyAddress is an address in either world's form.
type anyAddress struct{ address.Address }

// UnmarshalJSON implements json.Unmarshaler.
func (a *anyAddress) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("want an address like \"0x…\" or \"f1…\": %w", err)
	}
	var err error
	if !strings.HasPrefix(text, "0x") {
		a.Address, err = address.NewFromString(text)
		return err
	}
	var eth ethtypes.EthAddress
	if eth, err = ethtypes.ParseEthAddress(text); err == nil {
		a.Address, err = eth.ToFilecoinAddress()
	}
	return err
}

// amount is attoFIL, or bytes of DataCap: a number or a decimal string.
type amount struct{ big.Int }

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(raw []byte) error {
	n, err := big.FromString(strings.Trim(string(raw), `"`))
	if err != nil || n.Sign() < 0 {
		return fmt.Errorf("want an amount like 5 or \"1000000000000000000\", got %s", raw)
	}
	a.Int = n
	return nil
}

// hexBytes are bytes as 0x… hex.
type hexBytes []byte

// UnmarshalJSON implements json.Unmarshaler.
func (b *hexBytes) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	out, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	*b = out
	return err
}

// MinerView is a miner in the controls' answers.
type MinerView struct {
	Miner      address.Address `json:"miner"` // by id
	ID         abi.ActorID     `json:"id"`
	Robust     address.Address `json:"robust"`
	Owner      address.Address `json:"owner"`
	Worker     address.Address `json:"worker"`
	SectorSize abi.SectorSize  `json:"sectorSize"`
}

func view(m *Miner) MinerView {
	return MinerView{m.id, m.ID(), m.robust, m.owner, m.worker.Address, m.size}
}

// PeerParams say where a miner can be reached.
type PeerParams struct {
	Miner      anyAddress `json:"miner"`
	PeerID     string     `json:"peerId"`     // like 12D3Koo…
	Multiaddrs []string   `json:"multiaddrs"` // like /ip4/127.0.0.1/tcp/24001
}

func (p PeerParams) encoded() (id []byte, addrs [][]byte, err error) {
	if p.PeerID != "" {
		decoded, err := peer.Decode(p.PeerID)
		if err != nil {
			return nil, nil, fmt.Errorf("peer id: %w", err)
		}
		id = []byte(decoded)
	}
	for _, text := range p.Multiaddrs {
		a, err := multiaddr.NewMultiaddr(text)
		if err != nil {
			return nil, nil, err
		}
		addrs = append(addrs, a.Bytes())
	}
	return id, addrs, nil
}

// CreateParams are devnet_createMiner's; all may be left out.
type CreateParams struct {
	Owner      anyAddress     `json:"owner"` // a funded f1 or f3 account; a new f1 account if left out
	SectorSize abi.SectorSize `json:"sectorSize"`
	PeerParams
}

// CreateMiner is devnet_createMiner({owner, sectorSize, peerId, multiaddrs}).
func (c *Controls) CreateMiner(ctx context.Context, p CreateParams) (MinerView, error) {
	creation := Creation{SectorSize: p.SectorSize}
	if !p.Owner.Empty() {
		account, ok := c.funded(p.Owner.Address)
		if !ok || account.Kind == chain.Ethereum {
			return MinerView{}, fmt.Errorf("owner %s is no funded f1 or f3 account: see devnet_accounts", p.Owner)
		}
		creation.Signer = account
	}
	var err error
	if creation.PeerID, creation.Multiaddrs, err = p.encoded(); err != nil {
		return MinerView{}, err
	}
	m, err := c.fleet.Create(ctx, creation)
	if err != nil {
		return MinerView{}, err
	}
	return view(m), nil
}

func (c *Controls) funded(addr address.Address) (chain.Account, bool) {
	for _, a := range c.fleet.chain.Accounts() {
		if id, err := address.NewIDAddress(uint64(a.ID)); err == nil && (addr == a.Address || addr == id) {
			return a, true
		}
	}
	return chain.Account{}, false
}

// Miners is devnet_miners().
func (c *Controls) Miners(context.Context) ([]MinerView, error) {
	out := []MinerView{}
	for _, m := range c.fleet.Miners() {
		out = append(out, view(m))
	}
	return out, nil
}

// SetPeer is devnet_setPeer({miner, peerId, multiaddrs}).
func (c *Controls) SetPeer(ctx context.Context, p PeerParams) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	id, addrs, err := p.encoded()
	if err != nil {
		return false, err
	}
	return true, m.SetPeer(ctx, id, addrs...)
}

// PieceParams are a piece of a sector.
type PieceParams struct {
	CID        cid.Cid             `json:"cid"` // {"/": "baga…"}
	Size       abi.PaddedPieceSize `json:"size"`
	Deal       *abi.DealID         `json:"deal"`
	Allocation *struct {
		Client abi.ActorID             `json:"client"`
		ID     verifreg18.AllocationId `json:"id"`
	} `json:"allocation"`
	Notify []struct {
		To      anyAddress `json:"to"`
		Payload hexBytes   `json:"payload"`
	} `json:"notify"`
}

// SealParams are devnet_sealSectors'. Sectors without pieces are capacity.
type SealParams struct {
	Miner   anyAddress `json:"miner"`
	Sectors []struct {
		Pieces   []PieceParams  `json:"pieces"`
		Lifetime abi.ChainEpoch `json:"lifetime"`
	} `json:"sectors"`
	RequireActivation   bool `json:"requireActivation"`
	RequireNotification bool `json:"requireNotification"`
}

// Sealed is what became of a sector.
type Sealed struct {
	Sector   abi.SectorNumber  `json:"sector"`
	ExitCode exitcode.ExitCode `json:"exitCode"` // 0 if it is activated
}

// SealSectors is devnet_sealSectors({miner, sectors, requireActivation,
// requireNotification}): pre-commits and proves, which takes some epochs.
func (c *Controls) SealSectors(ctx context.Context, p SealParams) ([]Sealed, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return nil, err
	}
	sectors := make([]Sector, len(p.Sectors))
	for i, s := range p.Sectors {
		sectors[i].Lifetime = s.Lifetime
		for _, piece := range s.Pieces {
			own := Piece{CID: piece.CID, Size: piece.Size, Deal: piece.Deal}
			if piece.Allocation != nil {
				own.Allocation = &Allocation{Client: piece.Allocation.Client, ID: piece.Allocation.ID}
			}
			for _, n := range piece.Notify {
				own.Notify = append(own.Notify, Notification{To: n.To.Address, Payload: n.Payload})
			}
			sectors[i].Pieces = append(sectors[i].Pieces, own)
		}
	}
	if len(sectors) == 0 || len(sectors) > maxBatch {
		return nil, fmt.Errorf("%d sectors: give 1 to %d", len(sectors), maxBatch)
	}
	numbers, err := m.PreCommit(ctx, sectors...)
	if err != nil {
		return nil, err
	}
	result, err := m.Prove(ctx, numbers, sectors, Demands{Activation: p.RequireActivation, Notification: p.RequireNotification})
	if err != nil {
		return nil, err
	}
	out := make([]Sealed, 0, len(numbers))
	for i, code := range result.Codes() {
		out = append(out, Sealed{numbers[i], code})
	}
	return out, nil
}

// SectorParams name sectors of a miner.
type SectorParams struct {
	Miner      anyAddress         `json:"miner"`
	Sectors    []abi.SectorNumber `json:"sectors"`
	Expiration abi.ChainEpoch     `json:"expiration"` // of devnet_extendSectors
}

func (c *Controls) sectors(p SectorParams, do func(m *Miner) error) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	if len(p.Sectors) == 0 {
		return false, errors.New("name at least one sector")
	}
	err = do(m)
	return err == nil, err
}

// SectorView is a sector in the controls' answers.
type SectorView struct {
	Sector     abi.SectorNumber     `json:"sector"`
	Status     abi.SectorStatusCode `json:"status"` // of FIP-0112: 0 dead, 1 active, 2 faulty
	Aux        string               `json:"aux"`    // for ValidateSectorStatus, in hex
	Activation abi.ChainEpoch       `json:"activation,omitempty"`
	Expiration abi.ChainEpoch       `json:"expiration,omitempty"`
	Deadline   *uint64              `json:"deadline,omitempty"`
	Partition  *uint64              `json:"partition,omitempty"`
}

// Sectors is devnet_sectors({miner, sectors}): what they are.
func (c *Controls) Sectors(ctx context.Context, p SectorParams) (out []SectorView, err error) {
	_, err = c.sectors(p, func(m *Miner) error {
		for _, number := range p.Sectors {
			status, aux, err := m.Status(ctx, number)
			if err != nil {
				return err
			}
			v := SectorView{Sector: number, Status: status, Aux: "0x" + hex.EncodeToString(aux)}
			info, err := m.Sector(ctx, number)
			if err == nil {
				v.Activation, v.Expiration = info.Activation, info.Expiration
				deadline, partition, err := m.Place(ctx, number)
				if err != nil {
					return err
				}
				v.Deadline, v.Partition = &deadline, &partition
			} else if !errors.Is(err, ErrNoSector) {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// SkipSectors is devnet_skipSectors({miner, sectors}): proves them no more.
func (c *Controls) SkipSectors(_ context.Context, p SectorParams) (bool, error) {
	return c.sectors(p, func(m *Miner) error { m.Skip(p.Sectors...); return nil })
}

// DeclareFaults is devnet_declareFaults({miner, sectors}).
func (c *Controls) DeclareFaults(ctx context.Context, p SectorParams) (bool, error) {
	return c.sectors(p, func(m *Miner) error { return m.DeclareFaulty(ctx, p.Sectors...) })
}

// RecoverSectors is devnet_recoverSectors({miner, sectors}).
func (c *Controls) RecoverSectors(ctx context.Context, p SectorParams) (bool, error) {
	return c.sectors(p, func(m *Miner) error { return m.Recover(ctx, p.Sectors...) })
}

// TerminateSectors is devnet_terminateSectors({miner, sectors}).
func (c *Controls) TerminateSectors(ctx context.Context, p SectorParams) (bool, error) {
	return c.sectors(p, func(m *Miner) error { return m.Terminate(ctx, p.Sectors...) })
}

// ExtendSectors is devnet_extendSectors({miner, sectors, expiration}).
func (c *Controls) ExtendSectors(ctx context.Context, p SectorParams) (bool, error) {
	return c.sectors(p, func(m *Miner) error { return m.Extend(ctx, p.Expiration, p.Sectors...) })
}

// DeadlineParams name a deadline of a miner.
type DeadlineParams struct {
	Miner      anyAddress `json:"miner"`
	Deadline   uint64     `json:"deadline"`
	Partitions []uint64   `json:"partitions"`
}

// CompactPartitions is devnet_compactPartitions({miner, deadline, partitions}).
func (c *Controls) CompactPartitions(ctx context.Context, p DeadlineParams) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	return true, m.Compact(ctx, p.Deadline, p.Partitions...)
}

// DisputePost is devnet_disputePost({miner, deadline}): by an account of the devnet.
func (c *Controls) DisputePost(ctx context.Context, p DeadlineParams) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	return true, m.Dispute(ctx, c.fleet.bank, p.Deadline)
}

// MinerParams name a miner, and an amount for devnet_withdraw.
type MinerParams struct {
	Miner  anyAddress `json:"miner"`
	Amount amount     `json:"amount"`
}

// StopProving is devnet_stopProving({miner}).
func (c *Controls) StopProving(_ context.Context, p MinerParams) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	m.StopProving()
	return true, nil
}

// ResumeProving is devnet_resumeProving({miner}).
func (c *Controls) ResumeProving(_ context.Context, p MinerParams) (bool, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return false, err
	}
	m.ResumeProving()
	return true, nil
}

// Withdraw is devnet_withdraw({miner, amount}): to the owner; returns how much it was.
func (c *Controls) Withdraw(ctx context.Context, p MinerParams) (abi.TokenAmount, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return big.Zero(), err
	}
	if p.Amount.Int.Int == nil {
		return big.Zero(), errors.New("say how much")
	}
	return m.Withdraw(ctx, p.Amount.Int)
}

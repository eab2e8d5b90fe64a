package cli

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/market"
)

// kept renews a slot by its sector: not before the slot is active, not before the sector
// lasts, and not twice. Then its owner names another payee, who is paid from there on, and
// in the end gives it up.
func (w *spWorld) kept(t *testing.T, key chain.Account, m *provider.Miner, other chain.Account) {
	terms := terms(1)
	terms.RenewWindow = terms.Term - 1
	deal := w.deal(terms, w.fil(20))
	first, next := market.SlotID(deal, 0, 0), market.SlotID(deal, 0, 1)
	slot, flags := fmt.Sprint(first), w.keyOf(t, key, market.Text(key.Address))
	stranger := []string{"--rpc", w.net.HTTPURL(), "--from", market.Text(other.Address)}
	var done spDone
	w.do(&done, with(flags, "claim", slot, "--miner", id(m))...)
	w.refused("only active slots are renewed", with(flags, "renew", slot)...)
	w.refused("only active slots are given up", with(flags, "terminate", slot)...)
	sector := w.sealFor(m, first, 220*day)
	w.pass(day + 1)
	done = spDone{}
	w.do(&done, with(flags, "prove", slot)...)
	w.refused("extend the sector to that epoch or later first", with(flags, "renew", slot)...)
	end := done.Slots[0].End
	w.must(m.Extend(w.ctx, abi.ChainEpoch(end+180*day), sector))
	w.refused("is no controlling address", with(stranger, "renew", slot)...)
	done = spDone{}
	w.do(&done, with(flags, "renew", slot)...)
	if len(done.Slots) != 2 || done.Slots[0].State != "active" || done.Slots[1].ID != fmt.Sprint(next) || done.Slots[1].State != "active" ||
		done.Slots[1].Start != end || done.Slots[1].End != end+180*day || done.Slots[1].Bond != "400000000000000000" || done.Value != "400000000000000000" {
		t.Fatalf("renewed: %+v", done)
	}
	w.refused("refused: ", with(flags, "renew", slot)...)
	w.do(&done, with(flags, "withdraw")...)

	to := market.Text(other.Address)
	w.refused("is not the owner of "+id(m), with(stranger, "payee", slot, "--to", to)...)
	done = spDone{}
	w.do(&done, with(flags, "payee", slot, fmt.Sprint(next), "--to", to)...)
	seen := market.Masked(uint64(other.ID)).Hex()
	if len(done.Slots) != 2 || done.Slots[0].Payee != seen || done.Slots[1].Payee != seen {
		t.Fatalf("%s is paid: %+v", seen, done)
	}
	before, _ := new(big.Int).SetString(done.Credit, 10)
	w.pass(day)
	done = spDone{}
	w.do(&done, with(flags, "prove", slot)...)
	if now, _ := new(big.Int).SetString(done.Credit, 10); now.Cmp(before) <= 0 {
		t.Errorf("the payee's credit was %s and is %s", before, now)
	}
	earned := done.Slots[0].Earned
	w.refused("is no controlling address", with(stranger, "terminate", slot)...)
	done = spDone{}
	w.do(&done, with(flags, "terminate", slot)...)
	if now := done.Slots; len(now) != 1 || now[0].State != "terminated" || now[0].Bond != "0" || now[0].Earned != earned {
		t.Errorf("given up: %+v", done)
	}
	w.refused("only active slots are given up", with(flags, "terminate", slot)...)
}

// entered has a provider enter itself into the registry, change that, and leave.
func (w *spWorld) entered(t *testing.T, key chain.Account, m *provider.Miner, other chain.Account) {
	flags := with(w.keyOf(t, key, market.Text(key.Address)), "--registry", w.made.Contracts["ProviderRegistry"].Hex(), "--miner", id(m))
	by := asker{w, flags}
	by.fails("--max-piece is needed", "sp", "register", "--market", "https://sp.example")
	by.fails("does not end in /", "sp", "register", "--max-piece", "34359738368", "--retrieval", "https://sp.example/piece")
	by.fails("is not an http(s) URL", "sp", "register", "--max-piece", "34359738368", "--market", "sp.example")
	by.fails("is above the largest", "sp", "register", "--max-piece", "1024", "--min-piece", "2048")
	by.fails("is not two letters", "sp", "register", "--max-piece", "1024", "--region", "D1")
	by.fails("has no entry", "sp", "register", "--remove")
	var done spDone
	by.does(&done, "sp", "register", "--max-piece", "34359738368", "--region", "de", "--market", "https://sp.example", "--retrieval", "https://sp.example/piece/")
	want := entryState{Miner: uint64(m.ID()), MaxPiece: 34359738368, Region: "DE", Market: "https://sp.example", Retrieval: "https://sp.example/piece/"}
	if done.Entry == nil || *done.Entry != want {
		t.Fatalf("entered: %+v", done.Entry)
	}
	done = spDone{}
	by.does(&done, "sp", "register", "--min-rate", "7", "--min-piece", "1048576", "--market", "")
	want.MinRate, want.MinPiece, want.Market = 7, 1048576, ""
	if done.Entry == nil || *done.Entry != want {
		t.Fatalf("changed: %+v", done.Entry)
	}
	stranger := asker{w, append([]string{"--rpc", w.net.HTTPURL(), "--from", market.Text(other.Address)}, flags[:4]...)}
	stranger.fails("is no controlling address", "sp", "register", "--min-rate", "0")
	stranger.fails("is no controlling address", "sp", "register", "--remove")
	done = spDone{}
	if by.does(&done, "sp", "register", "--remove"); done.Entry != nil {
		t.Errorf("taken out: %+v", done.Entry)
	}
	by.fails("has no entry", "sp", "register", "--remove")
}

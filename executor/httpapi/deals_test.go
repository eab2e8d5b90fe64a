package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// oneDeal is a ledger with one deal.
type oneDeal struct{ asked job.OfferFilter }

func (d *oneDeal) offer() job.Offer {
	return job.Offer{
		ID: "6f96", Slot: 1<<24 | 7, Miner: 1004, Protocol: job.ProtocolMK12, Piece: "baga", State: job.OfferActive, End: 900, Alarm: "no money",
		Choice: []byte(`[{"miner":1004,"score":0.5}]`), ActiveAt: time.Unix(1, 0),
	}
}

func (d *oneDeal) Offers(_ context.Context, f job.OfferFilter) ([]job.Offer, error) {
	d.asked = f
	return []job.Offer{d.offer()}, nil
}

func (d *oneDeal) Offer(_ context.Context, id string) (job.Offer, []job.OfferEvent, error) {
	if id != "6f96" {
		return job.Offer{}, nil, job.ErrNotFound
	}
	return d.offer(), []job.OfferEvent{{At: time.Unix(1, 0), State: job.OfferProposing}, {At: time.Unix(2, 0), State: job.OfferActive, Words: "no money"}}, nil
}

func (d *oneDeal) Repairs(_ context.Context, f job.RepairFilter) ([]job.Repair, error) {
	if f.Piece != "" && f.Piece != "baga" {
		return nil, nil
	}
	return []job.Repair{{ID: 3, Piece: "baga", Deal: 1, Slot: 1<<24 | 7, Size: 9, Got: 4, State: job.RepairStuck, Miner: 1004, Words: "404", DueAt: time.Unix(9, 0)}}, nil
}

func (d *oneDeal) Repair(_ context.Context, id int64) (job.Repair, []job.RepairEvent, error) {
	return job.Repair{ID: id}, []job.RepairEvent{{At: time.Unix(1, 0), State: job.RepairFetching, Miner: 1004, Words: "asked"}}, nil
}

func (d *oneDeal) Rank(context.Context) ([]job.ProviderScore, error) {
	return []job.ProviderScore{{Miner: 1004, Score: 0.5}}, nil
}

func (d *oneDeal) OnChain(_ context.Context, o job.Offer) (job.OnChain, error) {
	return job.OnChain{Status: string(o.State), Epoch: 9}, nil
}

func (d *oneDeal) Provider(_ context.Context, miner uint64) (job.ProviderDetail, error) {
	if miner != 1004 {
		return job.ProviderDetail{}, job.ErrNotFound
	}
	return job.ProviderDetail{Score: job.ProviderScore{Miner: miner}, Samples: []job.Sample{{Slot: 1<<24 | 7, Good: true}}}, nil
}

func (d *oneDeal) Claims(context.Context, uint64, int) ([]job.Claim, error) {
	return []job.Claim{{Slot: 1<<24 | 7, Miner: 1004, Deadline: 900, DueEpoch: 120, Looks: 2, Why: "the piece is not here"}}, nil
}

func (d *oneDeal) Stats(_ context.Context, by string, days int) ([]job.DealStats, error) {
	return []job.DealStats{{Key: by, Attempted: days}}, nil
}

func TestDealsAreShown(t *testing.T) {
	d := &oneDeal{}
	s := &Server{deps: Deps{Deals: d}}
	get := func(path string, want int, into any) {
		t.Helper()
		w := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1"+path, nil)
		req.Host = "127.0.0.1"
		s.Handler().ServeHTTP(w, req)
		if w.Code != want {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if into != nil {
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
	}
	var list Page[Deal]
	get("/deals?state=active&sp=1004&slot=7&live=true&limit=3", http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].DealID != 1 || list.Items[0].Slot != "16777223" || list.Items[0].Alarm != "no money" {
		t.Fatalf("%+v", list)
	}
	if want := (job.OfferFilter{State: job.OfferActive, Miner: 1004, Slot: 7, Live: true, Limit: 3}); d.asked != want {
		t.Fatalf("asked for %+v", d.asked)
	}
	var one DealDetail
	get("/deals/6f96", http.StatusOK, &one)
	if len(one.Steps) != 2 || one.Steps[1].Words != "no money" || string(one.Choice) != `[{"miner":1004,"score":0.5}]` {
		t.Fatalf("%+v", one)
	}
	if one.Chain == nil || *one.Chain != (job.OnChain{Status: "active", Epoch: 9}) {
		t.Fatalf("the chain says %+v", one.Chain)
	}
	if len(one.Repairs) != 1 || one.Repairs[0].State != "stuck" || one.Repairs[0].DueAt == nil || len(one.Repairs[0].Steps) != 1 || one.Repairs[0].Steps[0].Words != "asked" {
		t.Fatalf("%+v", one.Repairs)
	}
	var back Page[Repair]
	get("/deals/repairs?live=true", http.StatusOK, &back)
	if len(back.Items) != 1 || back.Items[0].Slot != 1<<24|7 || back.Items[0].Miner != 1004 || back.Items[0].Got != 4 || back.Items[0].Steps != nil {
		t.Fatalf("%+v", back)
	}
	var claims Page[Claim]
	get("/deals/claims", http.StatusOK, &claims)
	if len(claims.Items) != 1 || claims.Items[0].Slot != "16777223" || claims.Items[0].DealID != 1 || claims.Items[0].Why != "the piece is not here" {
		t.Errorf("claims: %+v", claims)
	}
	var stats Page[job.DealStats]
	get("/deals/stats?by=week&days=9", http.StatusOK, &stats)
	if len(stats.Items) != 1 || stats.Items[0].Key != "week" || stats.Items[0].Attempted != 9 {
		t.Fatalf("%+v", stats)
	}
	for _, bad := range []string{"/deals/stats?by=moon", "/deals/stats?days=0", "/deals/stats?days=x", "/providers/me"} {
		get(bad, http.StatusBadRequest, nil)
	}
	var who job.ProviderDetail
	get("/providers/1004", http.StatusOK, &who)
	if who.Score.Miner != 1004 || len(who.Samples) != 1 || who.Samples[0].Slot != 1<<24|7 {
		t.Fatalf("%+v", who)
	}
	get("/providers/1005", http.StatusNotFound, nil)
	var ranked Page[job.ProviderScore]
	get("/providers", http.StatusOK, &ranked)
	if len(ranked.Items) != 1 || ranked.Items[0].Miner != 1004 {
		t.Fatalf("%+v", ranked)
	}
	get("/deals?state=odd", http.StatusBadRequest, nil)
	get("/deals?sp=f01004", http.StatusBadRequest, nil)
	get("/deals/none", http.StatusNotFound, nil)
	s.deps.Deals = nil
	get("/deals", http.StatusServiceUnavailable, nil)
}

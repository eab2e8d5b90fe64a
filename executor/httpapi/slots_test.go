package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/executor/job"
)

// offering has slots 1 to 5.
type offering struct{ asked SlotQuery }

func (o *offering) OpenSlots(_ context.Context, after uint64, limit int) (SlotPage, error) {
	page := SlotPage{Head: 7}
	for id := after + 1; id <= 5; id++ {
		if len(page.Items) == limit {
			page.Next = page.Items[limit-1].ID
			break
		}
		page.Items = append(page.Items, OpenSlot{ID: fmt.Sprint(id), Bounty: "1", Rate: "2", Obligation: "3", Bond: "100000000000000000000"})
	}
	return page, nil
}

func (o *offering) Slot(_ context.Context, q SlotQuery) (SlotDetail, error) {
	if o.asked = q; q.ID > 5 {
		return SlotDetail{}, fmt.Errorf("slot %d: %w", q.ID, job.ErrNotFound)
	}
	return SlotDetail{Head: 7, ID: fmt.Sprint(q.ID), State: "open"}, nil
}

func slotsAt(t *testing.T, s Slots) string {
	t.Helper()
	p, err := NewPublic(PublicConfig{Listen: "127.0.0.1:0", PerSecond: 10_000, Burst: 10_000}, PublicDeps{Pieces: &stall{}, Slots: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestSlotsAreListedPageByPage(t *testing.T) {
	at := slotsAt(t, &offering{})
	var ids []string
	for after := "0"; after != ""; {
		res, b := ask(t, "GET", at+"/slots?limit=2&after="+after, nil)
		var page SlotPage
		if err := json.Unmarshal(b, &page); err != nil || res.StatusCode != 200 || page.Head != 7 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%s %s: %v", res.Status, b, err)
		}
		for _, s := range page.Items {
			ids = append(ids, s.ID)
		}
		after = page.Next
	}
	if strings.Join(ids, " ") != "1 2 3 4 5" {
		t.Errorf("listed %v", ids)
	}
	for _, bad := range []string{"/slots?limit=0", "/slots?limit=1001", "/slots?after=x", "/slots?after=-1"} {
		if res, b := ask(t, "GET", at+bad, nil); res.StatusCode != 400 || !strings.Contains(string(b), "limit is a number") {
			t.Errorf("%s: %s %s", bad, res.Status, b)
		}
	}
	if res, b := ask(t, "GET", at+"/slots?after=5", nil); !strings.Contains(string(b), `"items":[]`) {
		t.Errorf("an empty page: %s %s", res.Status, b)
	}
}

func TestOneSlotIsAskedForByAMiner(t *testing.T) {
	o := &offering{}
	at := slotsAt(t, o)
	for query, want := range map[string]SlotQuery{
		"/slots/3":                         {ID: 3},
		"/slots/3?miner=f01000":            {ID: 3, Miner: 1000},
		"/slots/3?miner=1000&caller=t0100": {ID: 3, Miner: 1000, Caller: "0xff00000000000000000000000000000000000064"},
		"/slots/3?miner=t01&caller=0xABcdefabcdefabcdefabcdefabcdefabcdefabcd": {ID: 3, Miner: 1, Caller: "0xabcdefabcdefabcdefabcdefabcdefabcdefabcd"},
	} {
		if res, b := ask(t, "GET", at+query, nil); res.StatusCode != 200 || !strings.Contains(string(b), `"sources":[]`) || o.asked != want {
			t.Errorf("%s: %s %s, asked %+v, want %+v", query, res.Status, b, o.asked, want)
		}
	}
	for query, status := range map[string]int{
		"/slots/9": 404, "/slots/x": 400, "/slots/3?miner=f0": 400, "/slots/3?miner=f410x": 400, "/slots/3?caller=0x12": 400,
		"/slots/3?caller=0xzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz": 400, "/slots/3?caller=f1abc": 400, "/slots/3?miner=0": 400,
	} {
		if res, b := ask(t, "GET", at+query, nil); res.StatusCode != status {
			t.Errorf("%s: %s %s, want %d", query, res.Status, b, status)
		}
	}
	none := slotsAt(t, nil)
	if res, b := ask(t, "GET", none+"/slots", nil); res.StatusCode != 404 {
		t.Errorf("without a contract: %s %s", res.Status, b)
	}
}

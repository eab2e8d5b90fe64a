package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// repairsShown is how many repairs of its piece are shown with a deal.
const repairsShown = 3

// Repair is the fetching back of a piece that was lost here.
type Repair struct {
	ID        int64        `json:"id"`
	Piece     string       `json:"pieceCid"`
	DealID    uint64       `json:"dealId"`
	Slot      uint64       `json:"slot,string"` // which needed it first
	State     string       `json:"state"`
	Miner     uint64       `json:"sp,omitempty"` // who was asked last
	Got       uint64       `json:"got"`          // bytes that came from it
	Size      uint64       `json:"size"`
	Words     string       `json:"words"`
	DueAt     *time.Time   `json:"dueAt,omitempty"` // when it is tried again
	CreatedAt *time.Time   `json:"createdAt,omitempty"`
	UpdatedAt *time.Time   `json:"updatedAt,omitempty"`
	Steps     []RepairStep `json:"steps,omitempty"`
}

// RepairStep is one step of a repair.
type RepairStep struct {
	At    *time.Time `json:"at,omitempty"`
	State string     `json:"state"`
	Miner uint64     `json:"sp,omitempty"`
	Words string     `json:"words,omitempty"`
}

// repairs lists repairs, with their steps where that is wanted.
func (s *Server) repairs(ctx context.Context, f job.RepairFilter, steps bool) ([]Repair, error) {
	rows, err := s.deps.Deals.Repairs(ctx, f)
	if err != nil {
		return nil, err
	}
	out := []Repair{}
	for _, r := range rows {
		v := Repair{
			ID: r.ID, Piece: r.Piece, DealID: r.Deal, Slot: r.Slot, State: string(r.State), Miner: r.Miner, Got: r.Got, Size: r.Size, Words: r.Words,
			CreatedAt: when(r.CreatedAt), UpdatedAt: when(r.UpdatedAt),
		}
		if !r.State.Over() {
			v.DueAt = when(r.DueAt)
		}
		if steps {
			_, said, err := s.deps.Deals.Repair(ctx, r.ID)
			if err != nil {
				return nil, err
			}
			for _, e := range said {
				v.Steps = append(v.Steps, RepairStep{when(e.At), string(e.State), e.Miner, e.Words})
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Server) listRepairs(w http.ResponseWriter, r *http.Request) {
	limit, ok := s.limit(w, r)
	if !ok {
		return
	}
	items, err := s.repairs(r.Context(), job.RepairFilter{Live: r.URL.Query().Get("live") == "true", Limit: limit}, false)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, Page[Repair]{Items: items})
}

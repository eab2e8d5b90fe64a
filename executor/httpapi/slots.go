package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
)

// OpenSlot is a slot of perpetual storage that can be claimed now. Ids and amounts
// (attoFIL) are decimal text: they exceed what JSON numbers hold in browsers. Times are
// epochs, sizes bytes.
type OpenSlot struct {
	ID         string `json:"slotId"`
	Deal       uint64 `json:"dealId"`
	Index      uint8  `json:"index"`
	Generation uint16 `json:"generation"`
	CID        string `json:"cid,omitempty"`
	Piece      string `json:"pieceCid"`
	PieceV2    string `json:"pieceCidV2,omitempty"`
	Padded     uint64 `json:"paddedSize"`
	CARSize    uint64 `json:"carSize"`
	URL        string `json:"url"`
	Verified   bool   `json:"verified"`
	Term       uint32 `json:"term"`
	SealWindow uint32 `json:"sealWindow"`
	Bounty     string `json:"bounty"`
	Rate       string `json:"rate"`
	Obligation string `json:"obligation"`
	Bond       string `json:"bond"`
	Incumbent  uint64 `json:"incumbent,omitempty"`
	Client     string `json:"client"`
	Money      string `json:"money,omitempty"` // deal or pool
	// Extend is of a slot that is to follow another, for who stores that.
	Extend *Extension `json:"extend,omitempty"`
}

// Extension is how the miner that stores a slot may have what follows it without sealing
// anew: renewByExtension(slotId, aux) of the contract, or `tidegate sp renew`, by one of its
// controlling addresses.
type Extension struct {
	Slot       string `json:"slotId"` // the active one
	Miner      uint64 `json:"minerId"`
	Sector     uint64 `json:"sector"`
	Before     uint32 `json:"before"` // to be in a block before this, from which what follows is paid
	Others     uint32 `json:"others"` // from here on anyone may claim what follows
	Until      uint32 `json:"until"`  // its end: the sector has to be committed until then
	Bounty     string `json:"bounty"`
	Obligation string `json:"obligation"`
	Bond       string `json:"bond"` // to be sent along
}

// SlotPage is the body of /slots.
type SlotPage struct {
	Head  uint64     `json:"head"`
	Items []OpenSlot `json:"items"`
	Next  string     `json:"next,omitempty"` // value of ?after= for the next page
}

// SlotSource is who stores a deal's piece now.
type SlotSource struct {
	Miner uint64 `json:"minerId"`
	URL   string `json:"url,omitempty"`
}

// ClaimPreview is what a claim would do now.
type ClaimPreview struct {
	Reason     string `json:"reason,omitempty"`
	Words      string `json:"words,omitempty"`
	Bond       string `json:"bond"`
	Obligation string `json:"obligation"`
}

// SlotDetail is the body of /slots/{id}: a slot as it stands, open or not.
type SlotDetail struct {
	Head         uint64        `json:"head"`
	ID           string        `json:"slotId"`
	Deal         uint64        `json:"dealId"`
	State        string        `json:"state"`
	Faulty       bool          `json:"faulty,omitempty"`
	Miner        uint64        `json:"minerId,omitempty"`
	Payee        string        `json:"payee,omitempty"`
	Bond         string        `json:"bond"`
	Obligation   string        `json:"obligation"`
	Earned       string        `json:"earned"`
	SealDeadline uint32        `json:"sealDeadline,omitempty"`
	Start        uint32        `json:"start,omitempty"`
	End          uint32        `json:"end,omitempty"`
	LastProof    uint32        `json:"lastProof,omitempty"`
	Evidence     uint64        `json:"evidence,omitempty"`
	Sector       uint64        `json:"sector,omitempty"`
	NextOpening  uint32        `json:"nextOpening,omitempty"`
	Sources      []SlotSource  `json:"sources"`
	Extend       *Extension    `json:"extend,omitempty"` // of an active slot that its miner may extend now
	Preview      *ClaimPreview `json:"preview,omitempty"`
}

// SlotQuery asks for one slot. With a miner the answer has a preview of its claim, sent
// from the caller: an Ethereum address, or that of an actor's id.
type SlotQuery struct {
	ID     uint64
	Miner  uint64
	Caller string // 0x and 40 digits; "" for none
}

// Slots is what providers can claim. What there never was is job.ErrNotFound.
type Slots interface {
	OpenSlots(ctx context.Context, after uint64, limit int) (SlotPage, error)
	Slot(ctx context.Context, q SlotQuery) (SlotDetail, error)
}

func (p *Public) listSlots(w http.ResponseWriter, r *http.Request) {
	limit, _, err := pageOf(r)
	var after uint64
	if text := r.URL.Query().Get("after"); err == nil && text != "" {
		after, err = strconv.ParseUint(text, 10, 64)
	}
	if err != nil {
		publicFail(w, http.StatusBadRequest, "limit is a number from 1 to 1000, after the next of the page before", err.Error())
		return
	}
	page, err := p.deps.Slots.OpenSlots(r.Context(), after, limit)
	if err != nil {
		p.failWith(w, r, err)
		return
	}
	page.Items = append([]OpenSlot{}, page.Items...)
	publicJSON(w, page)
}

func (p *Public) getSlot(w http.ResponseWriter, r *http.Request) {
	q, err := slotQuery(r)
	if err != nil {
		publicFail(w, http.StatusBadRequest, "a slot is a number, miner one like f01000, caller an address like 0x… or f0…", err.Error())
		return
	}
	d, err := p.deps.Slots.Slot(r.Context(), q)
	if err != nil {
		p.failWith(w, r, err)
		return
	}
	d.Sources = append([]SlotSource{}, d.Sources...)
	publicJSON(w, d)
}

func slotQuery(r *http.Request) (q SlotQuery, err error) {
	if q.ID, err = strconv.ParseUint(chi.URLParam(r, "id"), 10, 64); err != nil {
		return q, fmt.Errorf("slot %q", chi.URLParam(r, "id"))
	}
	query := r.URL.Query()
	if text := query.Get("miner"); text != "" {
		if q.Miner, err = actorID(text); err != nil || q.Miner == 0 {
			return q, fmt.Errorf("miner %q", text)
		}
	}
	text := query.Get("caller")
	switch digits, ok := strings.CutPrefix(text, "0x"); {
	case text == "":
	case ok:
		if len(digits) != 40 || strings.Trim(strings.ToLower(digits), "0123456789abcdef") != "" {
			return q, fmt.Errorf("caller %q", text)
		}
		q.Caller = strings.ToLower(text)
	default:
		id, err := actorID(text)
		if err != nil {
			return q, fmt.Errorf("caller %q", text)
		}
		q.Caller = fmt.Sprintf("0xff%022x%016x", 0, id) // as contracts see an actor without an Ethereum address
	}
	return q, nil
}

// actorID reads f01000, t01000 or 1000.
func actorID(text string) (uint64, error) {
	if len(text) > 2 && (text[:2] == "f0" || text[:2] == "t0") {
		text = text[2:]
	}
	return strconv.ParseUint(text, 10, 63)
}

// publicJSON answers with what any page may read.
func publicJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

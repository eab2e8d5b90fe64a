package job

import "time"

// Prepare is the payload of KindPrepare: turn the DAG under CID into the CAR of
// one piece, and keep that on offer.
type Prepare struct {
	CID     []byte   `json:"cid"`               // canonical CID bytes
	Origins []string `json:"origins,omitempty"` // multiaddrs ending in /p2p/…; at most 5
	// MaxBytes caps the unique block bytes of the DAG; 0 means the operator's cap.
	MaxBytes uint64 `json:"maxBytes"`
	// Until is how long the piece stays on offer at least, unix seconds; 0 means
	// the operator's policy.
	Until int64 `json:"until"`
	// Owner is "<consumer>:<requester>" in lower-case hex, or "local".
	Owner string `json:"owner"`
}

// Served is the payload of KindServed: can the piece be fetched from Endpoint?
type Served struct {
	Piece []byte `json:"piece"` // piece CID, v1 or v2, as bytes
	// Endpoint is an http or https URL. One that ends in "/" gets the piece CID
	// appended, in the version that was asked for; any other is fetched as it is.
	Endpoint string `json:"endpoint"`
}

// ItemState is where the CAR of one DAG is in its life.
type ItemState string

const (
	ItemWaiting ItemState = "waiting" // in a bucket that is no piece yet
	ItemPlaced  ItemState = "placed"  // in the piece of its bucket
	ItemBad     ItemState = "bad"     // taken out of its bucket: its blocks are not all here
)

// Item is the CAR of one DAG. Its piece CID is its identity.
type Item struct {
	Piece   string // piece CID v1 of the item's own CAR
	Root    string // payload CID, as it was asked for
	Padded  uint64 // padded size of the piece, a power of two
	CARSize uint64 // bytes of the CAR
	Blocks  uint64
	State   ItemState
	Bucket  int64  // 0 when State is bad
	Error   string // why it is bad
	// Until is how long it stays on offer at least; zero for the bucket's policy.
	Until     time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// BucketFormat says how the items of a bucket lie in its piece.
type BucketFormat string

const (
	FormatSingle BucketFormat = "single" // one item, large enough to be the piece
	FormatPoDSI  BucketFormat = "podsi"  // FRC-0058: items at proven offsets, an index at the end
	FormatCAR    BucketFormat = "car"    // one CAR with the root and blocks of every item
)

// BucketState is where a bucket is in its life.
type BucketState string

const (
	BucketOpen    BucketState = "open"    // takes items
	BucketSealing BucketState = "sealing" // takes no more, becomes a piece
	BucketReady   BucketState = "ready"   // is a piece on offer
	BucketCleaned BucketState = "cleaned" // was one; what it held is given back
	BucketVoid    BucketState = "void"    // every item was bad
)

// BucketStates lists every state, in the order of docs/state-machines.md.
func BucketStates() []BucketState {
	return []BucketState{BucketOpen, BucketSealing, BucketReady, BucketCleaned, BucketVoid}
}

// BucketTransitions is the whole machine; the schema's trigger holds the same.
var BucketTransitions = map[BucketState][]BucketState{
	BucketOpen:    {BucketSealing},
	BucketSealing: {BucketReady, BucketVoid},
	BucketReady:   {BucketCleaned},
}

// Bucket is a piece on offer, or one in the making.
type Bucket struct {
	ID     int64
	Format BucketFormat
	State  BucketState
	Why    string // what sealed it: size, age, count, demand
	Items  int    // in it now, or in its piece
	Bytes  uint64 // padded sizes of its items
	// Manifest is the identity of a ready bucket: the CID of its manifest, or of a
	// single item the payload CID.
	Manifest  string
	Piece     string // piece CID v1 of a ready bucket
	Padded    uint64 // padded size of that piece
	Size      uint64 // bytes that are served for it
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Placing is the rule by which an item finds its bucket.
type Placing struct {
	// MinPadded is the padded size from which an item is a piece of its own.
	MinPadded uint64
	Format    BucketFormat // of the buckets for smaller items
	MaxItems  int          // a bucket with so many is sealed
	MaxBytes  uint64       // padded sizes that a bucket may hold
	FullBytes uint64       // a bucket that holds so much is sealed
}

// Placed is what placing an item did.
type Placed struct {
	Item   Item
	Sealed []int64 // buckets that went from open to sealing
}

// Slot is one row of a bucket's manifest.
type Slot struct {
	Position int
	Offset   uint64 // padded offset in the bucket's piece; in a FormatCAR byte offset in the CAR
	Piece    string // the item's own piece CID
	Root     string
	Padded   uint64
	CARSize  uint64
}

// Seal is what makes a sealing bucket ready.
type Seal struct {
	Manifest string
	Piece    string
	Padded   uint64
	Size     uint64
	Slots    []Slot
}

// PieceFile is a file of the piece directory, known before it exists.
type PieceFile struct {
	Name     string
	Bucket   int64 // 0 for an item's
	Piece    string
	Size     uint64
	Complete bool // written, synced and under its name
}

// BucketFilter narrows a listing; zero fields do not. Newest first.
type BucketFilter struct {
	State  BucketState
	Before int64 // only rows with a lower ID; 0 for all
	Limit  int   // 0 for 100, at most 1000
}

// PieceToken lets its bearer fetch one piece.
type PieceToken struct {
	Hash    string // SHA-256 of the token, in hex
	Piece   string // piece CID v1
	Deal    string // free text: which deal it is for
	Expires time.Time
}

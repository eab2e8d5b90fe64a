package piece

import (
	"context"
	"errors"

	"github.com/ipfs/go-cid"
)

// Part is one CAR of content that is too large for one piece: whole sub-DAGs, and
// in the last part the blocks above them, alone.
type Part struct {
	Contents
	Size   uint64 // of its CAR, bytes
	Blocks uint64
}

// Split plans the parts of the DAG under root, each with a CAR of at most limit
// bytes. Together they hold every block; one that several sub-DAGs share may be in
// several parts. It reads no leaves where src is a Sizer.
func Split(ctx context.Context, src Blocks, root cid.Cid, limit uint64) ([]Part, error) {
	return nil, errors.New("being built")
}

package watch

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/oracle/chain"
)

// ident names a log by the transaction that made it and by what it says. Its
// index is no part of it: clients number logs differently, and one client does so
// in different methods (lotus#11630, #12254). Two logs of one transaction that say
// the same are one log shown twice (lotus#10964): events of ours carry a seq.
type ident struct{ block, tx, body common.Hash }

func identOf(l chain.Log) ident {
	parts := make([][]byte, 0, len(l.Topics)+2)
	parts = append(parts, l.Address[:])
	for i := range l.Topics {
		parts = append(parts, l.Topics[i][:])
	}
	return ident{l.Block, l.Tx, crypto.Keccak256Hash(append(parts, []byte{byte(len(l.Topics))}, l.Data)...)}
}

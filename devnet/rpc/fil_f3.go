package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-f3/certs"
	"github.com/filecoin-project/go-f3/gpbft"
)

// F3IsRunning is Filecoin.F3IsRunning: false while finality is stalled.
func (n *node) F3IsRunning(context.Context) (bool, error) { return !n.chain.FinalityStalled(), nil }

// F3GetLatestCertificate is Filecoin.F3GetLatestCertificate: what became final last. It
// has tipsets and no signatures, for nobody votes here; power tables are empty.
func (n *node) F3GetLatestCertificate(context.Context) (*certs.FinalityCertificate, error) {
	latest, ok := n.chain.LatestCertificate()
	if !ok {
		return nil, errors.New("certificate not found: nothing is final yet")
	}
	table, err := certs.MakePowerTableCID(nil)
	if err != nil {
		return nil, fmt.Errorf("empty power table: %w", err)
	}
	chain := &gpbft.ECChain{}
	for _, ts := range latest.Steps {
		chain.TipSets = append(chain.TipSets, &gpbft.TipSet{Epoch: int64(ts.Height()), Key: ts.Key().Bytes(), PowerTable: table})
	}
	return &certs.FinalityCertificate{
		GPBFTInstance: latest.Instance, ECChain: chain, SupplementalData: gpbft.SupplementalData{PowerTable: table}, Signers: bitfield.New(),
	}, nil
}

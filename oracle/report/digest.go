package report

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// maxResult is the contract's bound on result bytes.
const maxResult = 1024

// termsOf decodes an answer's terms and checks that they hash to its request and
// that the contract takes such a report at all.
func (r *Reporter) termsOf(a chain.Answer) (estuaryprovider.Terms, error) {
	values, err := r.contract.GetABI().Methods["idOf"].Inputs.Unpack(a.Terms)
	if err != nil {
		return estuaryprovider.Terms{}, fmt.Errorf("decoding its terms: %w", err)
	}
	terms := *abi.ConvertType(values[0], new(estuaryprovider.Terms)).(*estuaryprovider.Terms)
	if id := requestID(r.cfg.ChainID, r.cfg.Provider, a.Terms); id != a.Request {
		return terms, fmt.Errorf("its terms hash to %s on chain %d at provider %s: it belongs elsewhere", id, r.cfg.ChainID, r.cfg.Provider)
	}
	if crypto.Keccak256Hash(a.Context) != terms.ContextHash {
		return terms, errors.New("its context is not the one that its terms commit to")
	}
	switch {
	case a.Outcome == job.Succeeded && a.Reason == job.ReasonNone && len(a.Result) <= maxResult:
	case a.Outcome == job.Failed && a.Reason != job.ReasonNone && a.Reason <= job.ReasonUnreachable && len(a.Result) == 0:
	default:
		return terms, fmt.Errorf("outcome %d with reason %d and %d result bytes is no report that the contract takes", a.Outcome, a.Reason, len(a.Result))
	}
	return terms, nil
}

// requestID is keccak256(abi.encode(chainid, provider, terms)); terms have a fixed size.
func requestID(chainID uint64, provider common.Address, terms []byte) common.Hash {
	return crypto.Keccak256Hash(math.U256Bytes(new(big.Int).SetUint64(chainID)), common.LeftPadBytes(provider.Bytes(), 32), terms)
}

// boundHash is what a signer is bound to for ever: all of a success, and of a
// failure its outcome, for operators need not fail for the same reason.
func boundHash(c chain.Claim) common.Hash {
	return crypto.Keccak256Hash([]byte{byte(c.Outcome), 0}, c.ResultHash[:])
}

// batchTypes are the EIP-712 types of IOperatorSet.
var batchTypes = apitypes.Types{
	"EIP712Domain": {
		{Name: "name", Type: "string"}, {Name: "version", Type: "string"},
		{Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"},
	},
	"ReportBatch": {{Name: "configDigest", Type: "bytes32"}, {Name: "reports", Type: "ReportItem[]"}},
	"ReportItem": {
		{Name: "requestId", Type: "bytes32"}, {Name: "outcome", Type: "uint8"},
		{Name: "reason", Type: "uint8"}, {Name: "resultHash", Type: "bytes32"},
	},
}

// TypedData is what operators sign for a batch of answers in this order.
func TypedData(chainID uint64, provider common.Address, configDigest common.Hash, answers []chain.Answer) apitypes.TypedData {
	claims := make([]chain.Claim, len(answers))
	for i, a := range answers {
		claims[i] = claimOf(a)
	}
	return typedData(chainID, provider, configDigest, claims)
}

func typedData(chainID uint64, provider common.Address, configDigest common.Hash, claims []chain.Claim) apitypes.TypedData {
	items := make([]any, len(claims))
	for i, c := range claims {
		items[i] = map[string]any{
			"requestId":  c.Request.Hex(),
			"outcome":    strconv.Itoa(int(c.Outcome)),
			"reason":     strconv.Itoa(int(c.Reason)),
			"resultHash": c.ResultHash.Hex(),
		}
	}
	return apitypes.TypedData{
		Types:       batchTypes,
		PrimaryType: "ReportBatch",
		Domain: apitypes.TypedDataDomain{
			Name: "Tidegate", Version: "1",
			ChainId: (*math.HexOrDecimal256)(new(big.Int).SetUint64(chainID)), VerifyingContract: provider.Hex(),
		},
		Message: map[string]any{"configDigest": configDigest.Hex(), "reports": items},
	}
}

// Digest is the EIP-712 digest of TypedData.
func Digest(chainID uint64, provider common.Address, configDigest common.Hash, answers []chain.Answer) (common.Hash, error) {
	digest, _, err := apitypes.TypedDataAndHash(TypedData(chainID, provider, configDigest, answers))
	if err != nil {
		return common.Hash{}, fmt.Errorf("hashing a batch of %d answers: %w", len(answers), err)
	}
	return common.BytesToHash(digest), nil
}

// calldata is the call of fulfill for a signed batch. Signatures are ascending by
// signer, exactly the threshold of them.
func (r *Reporter) calldata(b *chain.ReportBatch) ([]byte, error) {
	reports := make([]estuaryprovider.Report, len(b.Items))
	for i, a := range b.Items {
		terms, err := r.termsOf(a)
		if err != nil {
			return nil, fmt.Errorf("request %s: %w", a.Request, err)
		}
		reports[i] = estuaryprovider.Report{Terms: terms, Outcome: uint8(a.Outcome), Reason: uint8(a.Reason), Result: a.Result, Context: a.Context}
	}
	sigs, err := inOrder(b.Signatures, b.Threshold)
	if err != nil {
		return nil, err
	}
	data, err := r.contract.TryPackFulfill(b.ConfigDigest, reports, sigs)
	if err != nil {
		return nil, fmt.Errorf("packing fulfill: %w", err)
	}
	return data, nil
}

// size is about how many bytes of calldata an answer takes: the offset, the terms,
// four words and two padded strings with their lengths.
func size(a chain.Answer) int {
	pad := func(n int) int { return (n + 31) &^ 31 }
	return 32 + len(a.Terms) + 4*32 + 2*32 + pad(len(a.Result)) + pad(len(a.Context))
}

// callSize is the calldata of a batch besides its answers, with one signature.
const callSize = 4 + 6*32 + 5*32

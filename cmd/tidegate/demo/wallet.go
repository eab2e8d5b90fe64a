package demo

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/executor/job"
)

// Which funded key plays which part.
const (
	keyDeployer = iota // deploys and owns the contracts
	keySender          // the operator's, sends transactions
	keyReport          // the operator's, signs reports
	userAlice
	userBob
	userFree // for whoever watches
)

var (
	pinningABI  = estuarypinning.NewEstuaryPinning()
	providerABI = estuaryprovider.NewEstuaryProvider()
)

func (s *show) user(i int) devnet.Account { return devnet.Accounts()[i] }

func (s *show) pinning() *bind.BoundContract  { return pinningABI.Instance(s.client, s.pinningAddr) }
func (s *show) provider() *bind.BoundContract { return providerABI.Instance(s.client, s.providerAddr) }

// transact sends a wallet's transaction and waits until it is mined.
func (s *show) transact(ctx context.Context, user int, to *bind.BoundContract, value *big.Int, data []byte) (*types.Receipt, error) {
	opts := bind.NewKeyedTransactor(s.user(user).Key(), new(big.Int).SetUint64(s.chainID))
	opts.Context, opts.Value = ctx, value
	tx, err := bind.Transact(to, opts, data)
	if err != nil {
		return nil, fmt.Errorf("sending the wallet's transaction: %w", err)
	}
	r, err := s.mined(ctx, tx.Hash())
	if err != nil {
		return nil, err
	}
	if r.Status != types.ReceiptStatusSuccessful {
		return nil, fmt.Errorf("the wallet's transaction %s reverted", tx.Hash())
	}
	return r, nil
}

func (s *show) mined(ctx context.Context, tx common.Hash) (*types.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := s.client.TransactionReceipt(ctx, tx)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, ethereum.NotFound) {
			return nil, fmt.Errorf("waiting for transaction %s: %w", tx, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for transaction %s: %w", tx, ctx.Err())
		}
	}
}

// requestIn finds the request that a transaction made.
func (s *show) requestIn(r *types.Receipt) (*estuaryprovider.EstuaryProviderOracleRequested, error) {
	for _, l := range r.Logs {
		if l.Address != s.providerAddr {
			continue
		}
		if e, err := providerABI.UnpackOracleRequestedEvent(l); err == nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("transaction %s made no request", r.TxHash)
}

// ask sends what makes a request and says what happened on chain.
func (s *show) ask(ctx context.Context, user int, to *bind.BoundContract, value *big.Int, data []byte) (*estuaryprovider.EstuaryProviderOracleRequested, error) {
	r, err := s.transact(ctx, user, to, value, data)
	if err != nil {
		return nil, err
	}
	e, err := s.requestIn(r)
	if err != nil {
		return nil, err
	}
	s.say("event    OracleRequested seq %d in block %d, %d gas, fee %s", e.Terms.Seq, r.BlockNumber, r.GasUsed, fil(e.Terms.Fee))
	s.say("request  %s", common.Hash(e.RequestId))
	return e, nil
}

// answerOf reads a request's answer from the chain, if it has one.
func (s *show) answerOf(ctx context.Context, id common.Hash) (Answer, bool, error) {
	logs, err := s.logsOf(ctx, s.providerAddr, "OracleAnswered(bytes32,uint64,uint8,uint8,bytes32,uint256)", id)
	if err != nil {
		return Answer{}, false, fmt.Errorf("reading the answer: %w", err)
	}
	if len(logs) == 0 {
		return Answer{}, false, nil
	}
	if len(logs) > 1 {
		return Answer{}, false, fmt.Errorf("request %s was answered %d times", id, len(logs))
	}
	e, err := providerABI.UnpackOracleAnsweredEvent(&logs[0])
	if err != nil {
		return Answer{}, false, fmt.Errorf("decoding the answer: %w", err)
	}
	r, err := s.client.TransactionReceipt(ctx, logs[0].TxHash)
	if err != nil {
		return Answer{}, false, fmt.Errorf("reading the answer's receipt: %w", err)
	}
	return Answer{
		ID: id.Hex(), Outcome: job.Outcome(e.Outcome).String(), Reason: job.Reason(e.Reason).String(),
		Tx: logs[0].TxHash.Hex(), Gas: r.GasUsed,
	}, true, nil
}

// reportOf finds, in the answering transaction, the report of a request: what
// retryCallback wants back.
func (s *show) reportOf(ctx context.Context, a Answer) (estuaryprovider.Report, error) {
	var none estuaryprovider.Report
	tx, _, err := s.client.TransactionByHash(ctx, common.HexToHash(a.Tx))
	if err != nil {
		return none, fmt.Errorf("reading the answering transaction: %w", err)
	}
	parsed, err := estuaryprovider.EstuaryProviderMetaData.ParseABI()
	if err != nil {
		return none, fmt.Errorf("parsing the provider's ABI: %w", err)
	}
	fulfill := parsed.Methods["fulfill"]
	args, err := fulfill.Inputs.Unpack(tx.Data()[4:])
	if err != nil {
		return none, fmt.Errorf("decoding the answering transaction: %w", err)
	}
	var in struct {
		ConfigDigest [32]byte
		Reports      []estuaryprovider.Report
		Signatures   [][]byte
	}
	if err := fulfill.Inputs.Copy(&in, args); err != nil {
		return none, fmt.Errorf("decoding the answering transaction: %w", err)
	}
	for _, r := range in.Reports {
		id, err := bind.Call(s.provider(), &bind.CallOpts{Context: ctx}, providerABI.PackIdOf(r.Terms), providerABI.UnpackIdOf)
		if err != nil {
			return none, fmt.Errorf("asking for a report's id: %w", err)
		}
		if common.Hash(id) == common.HexToHash(a.ID) {
			return r, nil
		}
	}
	return none, fmt.Errorf("transaction %s has no report of request %s", a.Tx, a.ID)
}

func (s *show) creditOf(ctx context.Context, user int) (*big.Int, error) {
	v, err := bind.Call(s.provider(), &bind.CallOpts{Context: ctx}, providerABI.PackCreditOf(s.user(user).Address), providerABI.UnpackCreditOf)
	if err != nil {
		return nil, fmt.Errorf("reading a credit: %w", err)
	}
	return v, nil
}

// pinStatus is statusOf, in words.
func (s *show) pinStatus(ctx context.Context, cid string) (string, error) {
	v, err := bind.Call(s.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackStatusOf1(cid), pinningABI.UnpackStatusOf1)
	if err != nil {
		return "", fmt.Errorf("reading statusOf: %w", err)
	}
	names := [...]string{"None", "Requested", "Pinned", "Failed", "Expired"}
	if int(v) >= len(names) {
		return "", fmt.Errorf("statusOf gave %d", v)
	}
	return names[v], nil
}

// expectStatus is pinStatus that must be want.
func (s *show) expectStatus(ctx context.Context, cid, want string) error {
	got, err := s.pinStatus(ctx, cid)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("statusOf(%s) is %s, want %s", cid, got, want)
	}
	s.say("state    statusOf(%s) = %s", cid, got)
	return nil
}

// fil writes attoFIL as FIL.
func fil(atto *big.Int) string {
	f := new(big.Rat).SetFrac(atto, big.NewInt(1e18))
	return f.FloatString(9) + " FIL"
}

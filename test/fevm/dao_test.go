package fevm

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/devnet"
)

// daoWorld is a DAO on a devnet, seen through its bindings.
type daoWorld struct {
	t      testing.TB
	ctx    context.Context
	client *ethclient.Client
	made   deploy.Deployment
	c      *datadao.DataDAO
	dao    common.Address
	gas    uint64 // limit of a transaction; 0 asks the chain for an estimate
}

// send makes a transaction and gives its receipt.
func (w *daoWorld) send(key *ecdsa.PrivateKey, to common.Address, value int64, data []byte) *types.Receipt {
	w.t.Helper()
	id, err := w.client.ChainID(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	opts := bind.NewKeyedTransactor(key, id)
	opts.GasLimit = w.gas
	opts.Context, opts.Value = w.ctx, new(big.Int).Mul(big.NewInt(value), big.NewInt(1e15))
	tx, err := bind.Transact(w.c.Instance(w.client, to), opts, data)
	if err != nil {
		w.t.Fatalf("sending: %v", w.reason(err))
	}
	receipt, err := bind.WaitMined(w.ctx, w.client, tx.Hash())
	if err != nil || receipt.Status != types.ReceiptStatusSuccessful {
		w.t.Fatalf("%v %+v", err, receipt)
	}
	return receipt
}

func (w *daoWorld) reason(err error) error {
	var data rpc.DataError
	if !errors.As(err, &data) {
		return err
	}
	text, _ := data.ErrorData().(string)
	said, unknown := w.c.UnpackError(common.FromHex(text))
	if unknown != nil {
		return err
	}
	return errors.New(strings.TrimPrefix(fmt.Sprintf("%T", said), "*datadao.DataDAO"))
}

// refused asserts that a call reverts with the error named.
func (w *daoWorld) refused(from common.Address, value int64, data []byte, name string) {
	w.t.Helper()
	_, err := w.client.CallContract(w.ctx, ethereum.CallMsg{
		From: from, To: &w.dao, Value: new(big.Int).Mul(big.NewInt(value), big.NewInt(1e15)), Data: data,
	}, nil)
	if err == nil {
		w.t.Fatalf("taken, want %s", name)
	}
	if got := w.reason(err).Error(); got != "DataDAO"+name {
		w.t.Fatalf("refused with %s, want %s", got, name)
	}
}

func (w *daoWorld) later(d time.Duration) {
	w.t.Helper()
	if err := w.client.Client().CallContext(w.ctx, nil, "evm_increaseTime", int64(d/time.Second)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.client.Client().CallContext(w.ctx, nil, "evm_mine"); err != nil {
		w.t.Fatal(err)
	}
}

func daoRead[T any](w *daoWorld, call []byte, unpack func([]byte) (T, error)) T {
	w.t.Helper()
	v, err := bind.Call(w.c.Instance(w.client, w.dao), &bind.CallOpts{Context: w.ctx}, call, unpack)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// ballot signs a vote with go-ethereum's EIP-712, which knows nothing of ours. The place is
// not signed.
func (w *daoWorld) ballot(key *ecdsa.PrivateKey, id int64, place int, support bool) datadao.Ballot {
	w.t.Helper()
	voter, deadline := crypto.PubkeyToAddress(key.PublicKey), big.NewInt(1<<40)
	chain, err := w.client.ChainID(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	hash, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		PrimaryType: "Ballot",
		Types: apitypes.Types{
			"EIP712Domain": {{Name: "name", Type: "string"}, {Name: "version", Type: "string"}, {Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"}},
			"Ballot":       {{Name: "proposalId", Type: "uint256"}, {Name: "support", Type: "bool"}, {Name: "voter", Type: "address"}, {Name: "deadline", Type: "uint256"}},
		},
		Domain: apitypes.TypedDataDomain{Name: "Tidegate DataDAO", Version: "1", ChainId: (*math.HexOrDecimal256)(chain), VerifyingContract: w.dao.Hex()},
		Message: apitypes.TypedDataMessage{
			"proposalId": math.NewHexOrDecimal256(id), "support": support, "voter": voter.Hex(),
			"deadline": (*math.HexOrDecimal256)(deadline),
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	signature, err := crypto.Sign(hash, key)
	if err != nil {
		w.t.Fatal(err)
	}
	signature[64] += 27
	return datadao.Ballot{ProposalId: big.NewInt(id), Support: support, Voter: voter, Deadline: deadline, Place: big.NewInt(int64(place)), Signature: signature}
}

// newDaoWorld starts a devnet with the suite on it.
func newDaoWorld(t *testing.T, within time.Duration) (*daoWorld, []devnet.Account) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	t.Cleanup(cancel)
	net := devnet.Start(t)
	client, err := ethclient.DialContext(ctx, net.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	keys := net.Accounts()
	made, err := deploy.OnDevnet(ctx, client, keys[0].Key(), keys[1].Address)
	if err != nil {
		t.Fatal(err)
	}
	return &daoWorld{t: t, ctx: ctx, client: client, made: made, c: datadao.NewDataDAO()}, keys
}

// create makes a DAO with a treasury of 5 FIL, which the calls from then on are about.
func (w *daoWorld) create(key *ecdsa.PrivateKey, params datadao.DaoParams, founders ...common.Address) *types.Receipt {
	w.t.Helper()
	f := datadaofactory.NewDataDAOFactory()
	receipt := w.send(key, w.made.Contracts[bindings.DataDAOFactory], 5000, f.PackCreateDAO(datadaofactory.DaoParams(params), founders, common.Address{}))
	for _, log := range receipt.Logs {
		if e, err := f.UnpackDaoCreatedEvent(log); err == nil {
			w.dao = e.Dao
		}
	}
	return receipt
}

// The proposal's own story on a real FEVM: a storage provider proposes with a
// deposit, members vote by transaction and by signature, the vote ends, anyone
// executes, and the pin is asked for; with every refusal on the way.
func TestDataDAOStory(t *testing.T) {
	w, keys := newDaoWorld(t, 5*time.Minute)
	sp, a, b, c, newcomer := keys[2], keys[3], keys[4], keys[5], keys[6]
	receipt := w.create(keys[0].Key(), deploy.DaoParams(), a.Address, b.Address, c.Address)
	t.Logf("createDAO: %d gas", receipt.GasUsed)

	cid := append([]byte{1, 0x70, 0x12, 0x20}, crypto.Keccak256([]byte("story"))...)
	create := w.c.PackCreateCIDProposal(cid, big.NewInt(4096))
	w.refused(sp.Address, 0, create, "DepositMismatch")
	receipt = w.send(sp.Key(), w.dao, 500, create)
	t.Logf("createCIDProposal: %d gas", receipt.GasUsed)
	one := big.NewInt(1)
	yes := w.c.PackVoteCIDProposal(one, true)
	w.refused(sp.Address, 0, yes, "OwnProposal")
	w.refused(newcomer.Address, 0, yes, "NotMember")
	w.send(a.Key(), w.dao, 0, w.c.PackInvite(newcomer.Address))
	w.send(newcomer.Key(), w.dao, 0, w.c.PackJoin())
	w.refused(newcomer.Address, 0, yes, "TooYoung")

	t.Logf("voteCIDProposal: %d gas", w.send(a.Key(), w.dao, 0, yes).GasUsed)
	w.refused(a.Address, 0, yes, "AlreadyVoted")
	signed := w.c.PackVoteBySignature([]datadao.Ballot{w.ballot(b.Key(), 1, 1, true)})
	w.send(sp.Key(), w.dao, 0, signed)
	w.refused(sp.Address, 0, signed, "AlreadyVoted") // a ballot counts once
	w.refused(sp.Address, 1000, w.c.PackExecuteCIDProposal0(one), "NotReady")
	if daoRead(w, w.c.PackCidSet(cid), w.c.UnpackCidSet) {
		t.Error("set before it was accepted")
	}

	w.later(time.Hour)
	if !daoRead(w, w.c.PackVotingIsExpired(one), w.c.UnpackVotingIsExpired) {
		t.Fatal("the vote goes on")
	}
	w.refused(c.Address, 0, yes, "VotingExpired")
	receipt = w.send(sp.Key(), w.dao, 2000, w.c.PackExecuteCIDProposal0(one))
	t.Logf("executeCIDProposal: %d gas", receipt.GasUsed)
	asked := false
	p := estuarypinning.NewEstuaryPinning()
	for _, log := range receipt.Logs {
		if e, err := p.UnpackPinRequestedEvent(log); err == nil && e.Requester == w.dao && e.MaxBytes == 4096 {
			asked = true
		}
	}
	if !asked || !daoRead(w, w.c.PackCidSet(cid), w.c.UnpackCidSet) {
		t.Error("accepted and not asked to be pinned")
	}
	w.refused(sp.Address, 2000, w.c.PackExecuteCIDProposal0(one), "NotReady")

	// The money at the end.
	if credit := daoRead(w, w.c.PackCreditOf(sp.Address), w.c.UnpackCreditOf); credit.Cmp(big.NewInt(5e17)) <= 0 {
		t.Errorf("credit %s: the deposit and the rest of the value", credit)
	}
	if has := daoRead(w, w.c.PackTreasury(), w.c.UnpackTreasury); has.Cmp(big.NewInt(5e18)) != 0 {
		t.Errorf("treasury %s", has)
	}
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/filecoin-project/go-address"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/oracle/signer"
)

func spSendFlags(more ...cli.Flag) []cli.Flag { return append(spReadFlags(senderFlags()...), more...) }

// senderFlags say who sends, and how.
func senderFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "from", Usage: "sending `ADDRESS`: f1…, f3… or f0… (a Filecoin message), 0x… or f410… (an Ethereum transaction)"},
		&cli.StringFlag{Name: "keystore", Usage: "encrypted keystore `FILE` of the sender, for f1… or 0x…; else the node's wallet signs"},
		&cli.StringFlag{Name: "password-file", Usage: "`FILE` with its password"},
		&cli.StringFlag{Name: "key-env", Usage: "`NAME` of a variable with the sender's key; devnets only"},
		&cli.StringFlag{Name: "node", Usage: "Filecoin node, `TOKEN:/ip4/…/tcp/…/http` or TOKEN:http://host:port; where --rpc is absent it is used for that too", Sources: cli.EnvVars("FULLNODE_API_INFO")},
		&cli.StringFlag{Name: "multisig", Usage: "`ADDRESS` of a multisig that is to call: prints what to propose to it and sends nothing"},
		&cli.StringFlag{Name: "max-fee", Usage: "most that the message may cost, in `FIL`; the node's own bound if absent"},
		&cli.DurationFlag{Name: "timeout", Value: 30 * time.Minute, Usage: "how long to wait until it is in a block"},
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask before sending"},
	}
}

// spAt is a PerpetualStorage, or contracts beside it, and who would call it.
type spAt struct {
	c       *cli.Command
	client  *ethclient.Client
	chain   *big.Int
	node    *market.Node
	storage *market.Storage
	height  uint64
	seen    common.Address // the caller, as the contract sees it
	words   string         // the caller, for people
	maxFee  *big.Int
	price   func(ctx context.Context, call market.Call) (most *big.Int, send func(context.Context) (sentCall, error), err error)
	actor   address.Address // the caller where it has no Ethereum address
	msig    address.Address // set: nothing is sent
	closers []func()
}

// sentCall is what was sent, and the hash by which its receipt is found.
type sentCall struct {
	hash    common.Hash
	message string
}

func (s *spAt) close() {
	for _, f := range s.closers {
		f()
	}
}

// openSp connects to chain and node and finds out who is to send to PerpetualStorage.
func openSp(ctx context.Context, c *cli.Command) (*spAt, error) {
	return openCaller(ctx, c, func(s *spAt) (err error) {
		s.storage, err = storageAt(c, s.client, s.chain)
		return err
	})
}

// openCaller connects to chain and node, has the contracts found that are to be called,
// and finds out who is to send.
func openCaller(ctx context.Context, c *cli.Command, contracts func(*spAt) error) (*spAt, error) {
	s := &spAt{c: c}
	if err := s.open(ctx, contracts); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *spAt) open(ctx context.Context, contracts func(*spAt) error) (err error) {
	if text := s.c.String("max-fee"); text != "" {
		if s.maxFee, err = fil(text); err != nil {
			return err
		}
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := contracts(s); err != nil {
		return err
	}
	if err := s.choose(ctx); err != nil {
		return err
	}
	if s.height, err = s.client.BlockNumber(ctx); err != nil {
		return fmt.Errorf("asking for the head: %w", err)
	}
	return nil
}

// connect dials the chain's JSON-RPC and the node, which may be the same.
func (s *spAt) connect(ctx context.Context) error {
	url, info := s.c.String("rpc"), s.c.String("node")
	if url == "" && info == "" {
		return usage("where? Give the chain's JSON-RPC with --rpc, or a Filecoin node with --node or FULLNODE_API_INFO")
	}
	if info == "" {
		info = url
	}
	at, err := market.ParseInfo(info)
	if err != nil {
		return usage("--node or FULLNODE_API_INFO: %v", err)
	}
	if s.node, err = market.Open(ctx, at); err != nil {
		return err
	}
	s.closers = append(s.closers, s.node.Close)
	own, id, err := dialEndpoint(ctx, at.URL, at.Header)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, own.Close)
	s.client, s.chain = own, id
	if url == "" || s.c.String("node") == "" {
		return nil
	}
	if s.client, s.chain, err = dialChain(ctx, url); err != nil {
		return err
	}
	s.closers = append(s.closers, s.client.Close)
	if s.chain.Cmp(id) != 0 {
		return fmt.Errorf("--rpc is chain %s and the node is chain %s: give two of the same", s.chain, id)
	}
	return nil
}

func dialEndpoint(ctx context.Context, url string, header http.Header) (*ethclient.Client, *big.Int, error) {
	c, err := rpc.DialOptions(ctx, url, rpc.WithHeaders(header))
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to %s: %w", config.Redact(url), err)
	}
	client := ethclient.NewClient(c)
	id, err := client.ChainID(ctx)
	if err != nil {
		client.Close()
		return nil, nil, fmt.Errorf("%s does not answer as a Filecoin node with the Ethereum API: %w (is it running, and is the token right?)", config.Redact(url), err)
	}
	return client, id, nil
}

// choose finds the sender that the flags name.
func (s *spAt) choose(ctx context.Context) error {
	c := s.c
	local := c.String("keystore") != "" || c.String("key-env") != ""
	var from address.Address
	if text := c.String("from"); text != "" {
		var err error
		if from, err = market.Parse(text); err != nil {
			return usage("--from %v", err)
		}
	}
	switch {
	case c.String("multisig") != "":
		return s.byMultisig(ctx, local)
	case local:
		return s.byKey(ctx, from)
	case from.Empty():
		return usage("who sends? Give --from with an address of the node's wallet, or --keystore with a key, or --multisig")
	case from.Protocol() == address.Delegated:
		return usage("%s signs Ethereum transactions, which a node's wallet does not: give its --keystore", c.String("from"))
	}
	sender, err := s.node.Wallet(ctx, from)
	if err != nil {
		return err
	}
	s.byMessage(sender)
	return nil
}

func (s *spAt) byMultisig(ctx context.Context, local bool) (err error) {
	if local {
		return usage("--multisig sends nothing, so it takes no key: one of its signers proposes what is printed")
	}
	if s.msig, err = market.Parse(s.c.String("multisig")); err != nil {
		return usage("--multisig %v", err)
	}
	if p := s.msig.Protocol(); p != address.Actor && p != address.ID {
		return usage("--multisig %q is no multisig's address: f2… or f0…", s.c.String("multisig"))
	}
	s.words, s.actor = market.Text(s.msig), s.msig
	s.seen, err = s.node.Seen(ctx, s.msig)
	return err
}

// byKey sends with a key in this process, which has two addresses.
func (s *spAt) byKey(ctx context.Context, from address.Address) error {
	key, err := signer.FromSpec(ctx, signer.Spec{
		Keystore: s.c.String("keystore"), PasswordFile: s.c.String("password-file"), Env: s.c.String("key-env"),
	}, s.chain.Uint64())
	if err != nil {
		return fmt.Errorf("the sender's key: %w", err)
	}
	local, ok := key.(signer.FilecoinSigner)
	if !ok {
		return errors.New("this key signs no Filecoin messages")
	}
	f1, err := market.Of(local)
	if err != nil {
		return err
	}
	eth, err := market.FromEth(key.Address())
	if err != nil {
		return err
	}
	switch from {
	case address.Undef:
		return usage("the key is of two addresses, %s and %s: say with --from which one sends", market.Text(f1), key.Address())
	case f1:
		sender, err := s.node.Local(ctx, local)
		if err != nil {
			return err
		}
		s.byMessage(sender)
		return nil
	case eth:
		s.byTransaction(key)
		return nil
	}
	return fmt.Errorf("--from is %s and the key is of %s and %s", s.c.String("from"), market.Text(f1), key.Address())
}

// byMessage sends Filecoin messages.
func (s *spAt) byMessage(sender *market.Sender) {
	s.seen, s.words, s.actor = sender.Seen(), market.Text(sender.Address()), sender.Address()
	s.price = func(ctx context.Context, call market.Call) (*big.Int, func(context.Context) (sentCall, error), error) {
		p, err := sender.Price(ctx, call, s.maxFee)
		if err != nil {
			return nil, nil, err
		}
		return p.Most, func(ctx context.Context) (sentCall, error) {
			message, err := sender.Push(ctx, p, s.maxFee)
			if err != nil {
				return sentCall{}, fmt.Errorf("%w (before you try again, see whether it is in the node's pool)", err)
			}
			fmt.Fprintf(s.c.Root().ErrWriter, "Sent as message %s; waiting for a block…\n", message)
			landed, err := s.node.Await(ctx, message)
			if err == nil && landed.Exit != 0 {
				err = fmt.Errorf("message %s failed at epoch %d with exit code %d", landed.Message, landed.Height, landed.Exit)
			}
			return sentCall{landed.Hash, fmt.Sprint(landed.Message)}, err
		}, nil
	}
}

// byTransaction sends Ethereum transactions.
func (s *spAt) byTransaction(key signer.TxSigner) {
	s.seen, s.words = key.Address(), key.Address().Hex()
	s.price = func(ctx context.Context, call market.Call) (*big.Int, func(context.Context) (sentCall, error), error) {
		gas, err := s.client.EstimateGas(ctx, ethereum.CallMsg{From: s.seen, To: &call.To, Value: call.Value, Data: call.Data})
		if err != nil {
			return nil, nil, fmt.Errorf("estimating the gas: %w", said(err))
		}
		price, err := s.client.SuggestGasPrice(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("asking for the price of gas: %w", err)
		}
		most := new(big.Int).Mul(price, new(big.Int).SetUint64(gas))
		if s.maxFee != nil && most.Cmp(s.maxFee) > 0 {
			return nil, nil, fmt.Errorf("the gas costs %s, more than --max-fee", filText(most))
		}
		return most, func(ctx context.Context) (sentCall, error) {
			opts := transactor(func(_ common.Address, tx *types.Transaction) (*types.Transaction, error) {
				return key.SignTx(ctx, tx, s.chain)
			}, s.seen)
			opts.Context, opts.Value, opts.GasLimit = ctx, call.Value, gas
			tx, err := bind.Transact(perpetualstorage.NewPerpetualStorage().Instance(s.client, call.To), opts, call.Data)
			if err != nil {
				return sentCall{}, fmt.Errorf("sending: %w", said(err))
			}
			fmt.Fprintf(s.c.Root().ErrWriter, "Sent as transaction %s; waiting for a block…\n", tx.Hash())
			return sentCall{hash: tx.Hash()}, nil
		}, nil
	}
}

// said puts what a contract of ours reverted with into words.
func said(err error) error {
	if raw, ok := revertData(err); ok {
		return fmt.Errorf("refused: %s", market.Reverted(raw))
	}
	return err
}

// try runs a call without sending it.
func (s *spAt) try(ctx context.Context, call market.Call) error {
	if !s.actor.Empty() {
		return s.node.Try(ctx, s.actor, call)
	}
	_, err := s.client.CallContract(ctx, ethereum.CallMsg{From: s.seen, To: &call.To, Value: call.Value, Data: call.Data}, nil)
	return said(err)
}

// confirm asks before money moves.
func confirm(c *cli.Command) error {
	if c.Bool("yes") {
		return nil
	}
	fmt.Fprint(c.Root().ErrWriter, "Send it? [y/N] ")
	line, err := bufio.NewReader(c.Root().Reader).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
		return nil
	} else if answer == "" && err != nil {
		return errors.New("nothing was sent: there is nobody to ask; give --yes")
	}
	return errors.New("nothing was sent")
}

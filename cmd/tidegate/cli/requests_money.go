package cli

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
)

// requestMoneyCommands get back what was paid for requests that nobody answered.
func requestMoneyCommands() []*cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag {
		return append(append(chainFlags(senderFlags()...),
			&cli.StringFlag{Name: "provider", Usage: "`ADDRESS` of EstuaryProvider; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_PROVIDER", "TIDEGATE_CHAIN_PROVIDER")}), more...)
	}
	return []*cli.Command{
		{
			Name: "refund", Usage: "credit the fee of a request that was not answered in time, or was cancelled, to whom it is due", ArgsUsage: "TRANSACTION",
			Description: "TRANSACTION is the one that asked. Anyone may send this; the fee goes to whom the request names. Of an order of deals\n" +
				"(tidegate deals order) what was to fund the deal is credited too, at EstuaryPinning. Then: tidegate requests withdraw",
			Flags:  flags(&cli.StringFlag{Name: "request", Usage: "`ID` of the request, where the transaction asked for more than one thing"}),
			Action: requestsRefund,
		},
		{
			Name: "withdraw", Usage: "pay out the sender's credit at EstuaryProvider: fees that came back, and what operators earned",
			Description: "With --escrow the credit at EstuaryPinning: what was to fund deals that never came about.",
			Flags: flags(
				&cli.StringFlag{Name: "to", Usage: "`ADDRESS` that is paid, of any kind (default: the sender)"},
				&cli.BoolFlag{Name: "escrow", Usage: "at EstuaryPinning"},
				&cli.StringFlag{Name: "pinning", Usage: "`ADDRESS` of EstuaryPinning, for --escrow", Sources: cli.EnvVars("TIDEGATE_PINNING", "TIDEGATE_CHAIN_PINNING")}),
			Action: requestsWithdraw,
		},
	}
}

// requestIn finds the request that a transaction made of a provider, and whether it is an
// order of deals.
func requestIn(receipt *types.Receipt, provider common.Address, id string) (asked *estuaryprovider.EstuaryProviderOracleRequested, order bool, err error) {
	abi, pinning := estuaryprovider.NewEstuaryProvider(), estuarypinning.NewEstuaryPinning()
	var ids []string
	for _, log := range receipt.Logs {
		e, err := abi.UnpackOracleRequestedEvent(log)
		if err != nil || log.Address != provider || id != "" && !strings.EqualFold(id, common.Hash(e.RequestId).Hex()) {
			continue
		}
		asked, ids = e, append(ids, common.Hash(e.RequestId).Hex())
	}
	switch {
	case len(ids) == 0 && id != "":
		return nil, false, fmt.Errorf("transaction %s did not make request %s of %s", receipt.TxHash, id, provider)
	case len(ids) == 0:
		return nil, false, fmt.Errorf("transaction %s asked nothing of %s", receipt.TxHash, provider)
	case len(ids) > 1:
		return nil, false, usage("transaction %s made more than one request; name one by --request: %s", receipt.TxHash, strings.Join(ids, ", "))
	}
	for _, log := range receipt.Logs {
		if e, err := pinning.UnpackDealsRequestedEvent(log); err == nil && log.Address == asked.Consumer && e.RequestId == asked.RequestId {
			order = true
		}
	}
	return asked, order, nil
}

func requestsRefund(ctx context.Context, c *cli.Command) error {
	text := c.Args().First()
	if raw := common.FromHex(text); c.Args().Len() != 1 || len(raw) != common.HashLength {
		return usage("requests refund needs the transaction that asked, 0x and 64 digits")
	}
	var at common.Address
	s, err := openCaller(ctx, c, func(s *spAt) (err error) {
		at, err = contractAt(c, s.chain, "provider", bindings.EstuaryProvider)
		return err
	})
	if err != nil {
		return err
	}
	defer s.close()
	receipt, err := s.client.TransactionReceipt(ctx, common.HexToHash(text))
	if err != nil {
		return fmt.Errorf("looking for transaction %s: %w", text, err)
	}
	asked, order, err := requestIn(receipt, at, c.String("request"))
	if err != nil {
		return err
	}
	abi, pinning := estuaryprovider.NewEstuaryProvider(), estuarypinning.NewEstuaryPinning()
	step := spStep{
		to: at, data: abi.PackRefund(asked.Terms),
		before: []string{"refunds", fmt.Sprintf("%s of request %s", filText(asked.Terms.Fee), common.Hash(asked.RequestId)), "to the credit of", asked.Terms.RefundTo.Hex()},
	}
	if order {
		step.to, step.data = asked.Consumer, pinning.PackSettleDeals(estuarypinning.Terms(asked.Terms))
	}
	step.after = func(ctx context.Context, _ uint64, logs []*types.Log, done *spDone) error {
		for _, log := range logs {
			if e, err := abi.UnpackOracleRefundedEvent(log); err == nil && log.Address == at && e.RequestId == asked.RequestId {
				done.words += fmt.Sprintf("%s were credited to %s: tidegate requests withdraw\n", filText(e.Amount), e.RefundTo)
			}
			if e, err := pinning.UnpackDealsRefundedEvent(log); err == nil && log.Address == asked.Consumer && e.RequestId == asked.RequestId {
				done.Escrow = e.Amount.String()
				done.words += fmt.Sprintf("%s that were to fund the deal were credited to %s: tidegate requests withdraw --escrow\n", filText(e.Amount), e.Client)
			}
		}
		done.words, done.Request = strings.TrimSpace(done.words), common.Hash(asked.RequestId).Hex()
		credit, err := view(ctx, s.client, at, abi.PackCreditOf(asked.Terms.RefundTo), abi.UnpackCreditOf)
		if err == nil {
			done.Credit = credit.String()
		}
		return err
	}
	return s.perform(ctx, step)
}

func requestsWithdraw(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usage(paysAll, "requests")
	}
	provider, pinning := estuaryprovider.NewEstuaryProvider(), estuarypinning.NewEstuaryPinning()
	var of credited
	s, err := openCaller(ctx, c, func(s *spAt) (err error) {
		if c.Bool("escrow") {
			of.at, err = contractAt(c, s.chain, "pinning", bindings.EstuaryPinning)
		} else {
			of.at, err = contractAt(c, s.chain, "provider", bindings.EstuaryProvider)
		}
		return err
	})
	if err != nil {
		return err
	}
	defer s.close()
	if c.Bool("escrow") {
		of = credited{
			of.at, pinning.PackEscrowCreditOf(s.seen), pinning.UnpackEscrowCreditOf, pinning.PackWithdrawEscrow,
			amountIn(pinning.UnpackEscrowWithdrawnEvent, func(e *estuarypinning.EstuaryPinningEscrowWithdrawn) *big.Int { return e.Amount }),
		}
	} else {
		of = credited{
			of.at, provider.PackCreditOf(s.seen), provider.UnpackCreditOf, provider.PackWithdraw,
			amountIn(provider.UnpackWithdrawnEvent, func(e *estuaryprovider.EstuaryProviderWithdrawn) *big.Int { return e.Amount }),
		}
	}
	return s.payOut(ctx, "fees come back by tidegate requests refund", of)
}

package fevm

import (
	"context"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/devnet"
)

// The suite is deployed and read through its abigen bindings and go-ethereum's
// client, as the daemon does.
func TestSuiteDeploys(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	net := devnet.Start(t)
	client, err := ethclient.DialContext(ctx, net.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	owner, operator := net.Accounts()[0], net.Accounts()[1]
	made, err := deploy.OnDevnet(ctx, client, owner.Key(), operator.Address)
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Contracts) != 21 {
		t.Errorf("deployed %v", made.Contracts)
	}
	provider := estuaryprovider.NewEstuaryProvider()
	at := provider.Instance(client, made.Contracts["EstuaryProvider"])
	got, err := bind.Call(at, &bind.CallOpts{Context: ctx}, provider.PackOwner(), provider.UnpackOwner)
	if err != nil || got != owner.Address {
		t.Fatalf("owner %s, %v, want %s", got, err, owner.Address)
	}
}

// Command tidegate is the whole of Tidegate in one binary: the daemon, the
// devnet, the demo and the tools around them. Everything lives in cli.
package main

import (
	"os"

	"github.com/tidegate/tidegate/cmd/tidegate/cli"
)

func main() { os.Exit(cli.Main(os.Args)) }

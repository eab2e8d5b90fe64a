package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func valid() Config {
	c := Devnet()
	c.Chain.RPC = []string{"http://127.0.0.1:8545"}
	c.Chain.Provider = "0x00000000000000000000000000000000000000aa"
	c.Keys.Sender.Env, c.Keys.Report.Env = "A", "B"
	return c
}

func TestCheckAcceptsAValidConfiguration(t *testing.T) {
	if err := valid().Check(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckNamesEachBrokenSetting(t *testing.T) {
	for path, breakIt := range map[string]func(*Config){
		"data_dir":            func(c *Config) { c.DataDir = "" },
		"log.level":           func(c *Config) { c.Log.Level = "loud" },
		"log.format":          func(c *Config) { c.Log.Format = "xml" },
		"chain.rpc":           func(c *Config) { c.Chain.RPC = []string{"ftp://x"} },
		"chain.id":            func(c *Config) { c.Chain.ID = 0 },
		"chain.provider":      func(c *Config) { c.Chain.Provider = "0x12" },
		"chain.pinning":       func(c *Config) { c.Chain.Pinning = "nope" },
		"chain.storage":       func(c *Config) { c.Chain.Storage = "0x1" },
		"keeper.enabled":      func(c *Config) { c.Keeper.Enabled, c.Chain.Pinning, c.Chain.Storage = true, "", "" },
		"keeper.max_cost_fil": func(c *Config) { c.Keeper.Enabled, c.Chain.Storage, c.Keeper.MaxCost = true, c.Chain.Provider, "" },
		"keeper.every":        func(c *Config) { c.Keeper.Enabled, c.Chain.Storage, c.Keeper.Every = true, c.Chain.Provider, 0 },
		"keeper.daos":         func(c *Config) { c.Keeper.Enabled, c.Keeper.DAOs = true, []string{"0x1"} },
		"keeper.clients": func(c *Config) {
			c.Keeper.Enabled, c.Chain.Storage, c.Keeper.Clients = true, c.Chain.Provider, []string{"0x1"}
		},
		"keeper.node": func(c *Config) {
			c.Keeper.Enabled, c.Chain.Storage, c.Chain.Pinning, c.Keeper.Node = true, "", c.Chain.Provider, "http://x"
		},
		"roles":                     func(c *Config) { c.Roles = []string{RoleExecute} },
		"kinds":                     func(c *Config) { c.Kinds = []string{"release"} },
		"trace.endpoint":            func(c *Config) { c.Trace.Endpoint = "collector:4318" },
		"ledger.url":                func(c *Config) { c.Ledger.URL = "mysql://x/y" },
		"chain.max_range":           func(c *Config) { c.Chain.MaxRange = 0 },
		"chain.poll_interval":       func(c *Config) { c.Chain.PollInterval = 0 },
		"keys.sender":               func(c *Config) { c.Keys.Sender = Key{} },
		"keys.report":               func(c *Config) { c.Keys.Report.Remote = "http://x" },
		"keys.sender.password_file": func(c *Config) { c.Keys.Sender = Key{Keystore: "k"} },
		"keys.sender.address":       func(c *Config) { c.Keys.Sender = Key{Remote: "http://x"} },
		"keys.sender.env":           func(c *Config) { c.Chain.ID = MainnetID },
		"ipfs.allow_private_peers":  func(c *Config) { c.Chain.ID = CalibrationID },
		"ipfs.routing":              func(c *Config) { c.IPFS.Routing = "magic" },
		"ipfs.peers":                func(c *Config) { c.IPFS.Peers = []string{"/ip4/1.2.3.4/tcp/1"} },
		"ipfs.max_logical_bytes":    func(c *Config) { c.IPFS.MaxLogicalBytes = 1 },
		"ipfs.max_blocks":           func(c *Config) { c.IPFS.MaxBlocks = 0 },
		"tx.max_in_flight":          func(c *Config) { c.Tx.MaxInFlight = 0 },
		"tx.max_fee_gwei":           func(c *Config) { c.Tx.MaxFeeGwei = 0 },
		"report.max_batch":          func(c *Config) { c.Report.MaxBatch = 1000 },
		"runner.pin_workers":        func(c *Config) { c.Runner.PinWorkers = -1 },
		"queue.nsqd":                func(c *Config) { c.Queue.Lookupd = []string{"127.0.0.1:4161"} },
		"http.listen":               func(c *Config) { c.HTTP.Listen = "0.0.0.0:4780" },
		"queue.tls":                 func(c *Config) { c.Queue.TLSCA = "x" },
		"queue.tls_cert":            func(c *Config) { c.Queue.TLS, c.Queue.TLSKey = true, "x" },
		"operators.listen":          func(c *Config) { c.Operators.Listen = "127.0.0.1:4783" },
		"operators.peers":           func(c *Config) { c.Operators.Peers = []string{"http://x:1"} },
		"operators.takeover":        func(c *Config) { c.Operators.Takeover = 0 },
		"keys.more_senders.address": func(c *Config) {
			c.Keys.Sender = Key{Remote: "http://x", Address: c.Chain.Provider}
			c.Keys.MoreSenders = []string{"y"}
		},
		"keys.sender.remote": func(c *Config) {
			c.Chain.ID, c.Keys.Sender = MainnetID, Key{Remote: "https://x", Address: c.Chain.Provider}
		},
		"keys.sender.tls_cert": func(c *Config) { c.Keys.Sender = Key{Remote: "https://x", Address: c.Chain.Provider, TLSKey: "k"} },
		"http.admin":           func(c *Config) { c.HTTP.Admin = "4781" },
	} {
		c := valid()
		breakIt(&c)
		err := c.Check()
		if err == nil || !strings.Contains(err.Error(), path+" ") {
			t.Errorf("%s broken: got %v", path, err)
		}
	}
}

func TestADaemonWithoutTheRoleNeedsNoKeys(t *testing.T) {
	c := valid()
	c.Ledger.URL, c.Roles, c.Keys = "postgres://db/tidegate", []string{RoleWatch}, Keys{}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if c.Works("pin") || !valid().Works("pin") || c.LedgerPath() != "postgres://db/tidegate" {
		t.Error("what it does, and where its ledger is")
	}
	c.Roles = append(c.Roles, RoleSend)
	if c.Check() == nil {
		t.Error("it sends without a key")
	}
}

func TestTheLedgersURLIsShownWithoutCredentials(t *testing.T) {
	c := valid()
	c.Ledger.URL = "postgres://tide:hunter2@db:5432/tidegate?password=hunter2"
	for _, f := range Fields() {
		if strings.Contains(f.Get(c), "hunter2") {
			t.Errorf("%s shows it", f.Path)
		}
	}
	if text := TOML(c); strings.Contains(text, "hunter2") || !strings.Contains(text, "db:5432/tidegate") {
		t.Error("the file shows it, or not where the ledger is")
	}
}

func TestCheckReportsAllProblemsAtOnce(t *testing.T) {
	c := valid()
	c.Chain.RPC, c.Chain.ID, c.Log.Level = nil, 0, "loud"
	if got := strings.Count(c.Check().Error(), "\n") + 1; got != 3 {
		t.Fatalf("%d problems reported, want 3: %v", got, c.Check())
	}
}

func TestLayersFlagOverEnvOverFileOverDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.toml")
	write(t, file, "[chain]\nid = 1\nmax_range = 2\nstart = 3\n[ipfs]\npeers = ['/x/p2p/a']\nmax_bytes = '2 MiB'\n")
	env := map[string]string{"TIDEGATE_CHAIN_ID": "10", "TIDEGATE_CHAIN_MAX_RANGE": "20", "TIDEGATE_RUNNER_GRACE": "3s"}
	got, err := Load(Layers{
		Base: Default(), File: file, Flags: map[string]string{"chain-id": "100"},
		Getenv: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Chain.ID != 100 || got.Chain.MaxRange != 20 || got.Chain.Start != 3 || got.Chain.SoftDepth != 5 {
		t.Errorf("chain = %+v", got.Chain)
	}
	if got.Runner.Grace.D() != 3*time.Second || got.IPFS.MaxBytes != 2<<20 || len(got.IPFS.Peers) != 1 {
		t.Errorf("grace %v, max bytes %v, peers %v", got.Runner.Grace, got.IPFS.MaxBytes, got.IPFS.Peers)
	}
	for path, want := range map[string]string{
		"chain.id": "flag --chain-id", "chain.max_range": "env TIDEGATE_CHAIN_MAX_RANGE", "chain.start": "file", "chain.soft_depth": "default",
	} {
		if got.Sources[path] != want {
			t.Errorf("source of %s is %q, want %q", path, got.Sources[path], want)
		}
	}
}

func TestLoadRefusesUnknownSettingsAndBadValues(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.toml")
	write(t, file, "[chain]\nidd = 1\n")
	_, err := Load(Layers{Base: Default(), File: file, Flags: map[string]string{"tx-max-in-flight": "many", "runner-grace": "soon"}})
	for _, want := range []string{"chain.idd", "tx.max_in_flight", "runner.grace"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestTOMLRoundTrip(t *testing.T) {
	want := valid()
	want.IPFS.Peers = []string{"/ip4/1.2.3.4/tcp/1/p2p/x", "/ip4/1.2.3.4/tcp/2/p2p/y"}
	file := filepath.Join(t.TempDir(), "c.toml")
	write(t, file, TOML(want))
	got, err := Load(Layers{Base: Config{}, File: file})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Fields() {
		if f.Path != "data_dir" && f.Get(got.Config) != f.Get(want) {
			t.Errorf("%s = %q, want %q", f.Path, f.Get(got.Config), f.Get(want))
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	for _, f := range Fields() {
		if f.Doc == "" {
			t.Errorf("%s has no doc", f.Path)
		}
	}
}

func TestRedactHidesCredentials(t *testing.T) {
	got := Redact("https://user:hunter2@node.example/rpc?token=hunter2")
	if strings.Contains(got, "hunter2") {
		t.Errorf("credentials shown: %s", got)
	}
}

func FuzzSize(f *testing.F) {
	f.Add("512 MiB")
	f.Fuzz(func(t *testing.T, text string) {
		var s, again Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Fatalf("%q → %v → %v (%v)", text, s, again, err)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

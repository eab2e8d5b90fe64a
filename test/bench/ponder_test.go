package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// ponderEvents is how many events ponder reads: so many that its start is little beside
// them, and no more than a minute's work.
const ponderEvents = 20_000

// ponder runs the ponder of test/peers/ponder on the first events of a node, and gives
// how long it took and computed (in seconds) from when it began to read until all was stored. How long node, its
// compiler and its database take to start is not counted.
func ponder(b *testing.B, url string) (took time.Duration, cpu float64) {
	dir, err := filepath.Abs("../peers/ponder")
	if err != nil {
		b.Fatal(err)
	}
	program := filepath.Join(dir, "node_modules/ponder/dist/esm/bin/ponder.js")
	if _, err := os.Stat(program); err != nil {
		b.Fatalf("ponder is not installed (make ponder): %v", err)
	}
	port := freePort(b)
	cmd := exec.CommandContext(b.Context(), "node", program, "start", "--schema", "bench", "--log-format", "json", "--hostname", "127.0.0.1", "--port", port)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "PONDER_TELEMETRY_DISABLED=1", "ENDPOINT="+url, "PROVIDER="+benchProvider.Hex(), "STORE="+filepath.Join(b.TempDir(), "pglite"),
		"CHAIN="+strconv.Itoa(benchChain), "END="+strconv.Itoa(ponderEvents/perBlock-1))
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var began time.Time
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var line struct {
			Msg string `json:"msg"`
		}
		said = append(said, lines.Text())
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "Started backfill indexing":
			began, cpu = time.Now(), computed(b, cmd.Process.Pid)
		case "Completed backfill indexing across all chains":
			took, cpu := time.Since(began), computed(b, cmd.Process.Pid)-cpu
			ponderStored(b, port)
			return took, cpu
		}
	}
	b.Fatalf("ponder ended early: %s", said)
	return 0, 0
}

// ponderStored fails unless ponder's table holds each event once.
func ponderStored(b *testing.B, port string) {
	resp, err := http.Get("http://127.0.0.1:" + port + "/stored")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Rows, Seqs, First, Last int }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		b.Fatal(err)
	}
	if want := (struct{ Rows, Seqs, First, Last int }{ponderEvents, ponderEvents, 0, ponderEvents - 1}); got != want {
		b.Fatalf("ponder stored %s", fmt.Sprintf("%+v", got))
	}
}

func freePort(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	return port
}

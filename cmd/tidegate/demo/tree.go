package demo

import (
	"fmt"
	"math/rand/v2"

	"github.com/ipfs/boxo/files"
)

const (
	treeDirs      = 6        // below the root, each with one more inside
	treeFilesEach = 30       // small files of each directory
	bigFileSize   = 32 << 20 // the one large file
	bigFileName   = "survey/scan.bin"
)

// tree is a generated directory tree: nested directories, many small files and
// a large one. The same seed gives the same bytes, and so the same CID.
func tree(seed uint64) files.Directory {
	r := rand.New(rand.NewPCG(seed, 0x71de9a7e))
	top := map[string]files.Node{
		"README.txt": files.NewBytesFile([]byte(fmt.Sprintf("Tidegate demo tree, seed %d\n", seed))),
		"survey":     files.NewMapDirectory(map[string]files.Node{"scan.bin": files.NewBytesFile(bigFile(seed))}),
	}
	for d := range treeDirs {
		inner := map[string]files.Node{}
		outer := map[string]files.Node{}
		for f := range treeFilesEach {
			outer[fmt.Sprintf("note-%03d.txt", f)] = files.NewBytesFile(small(r))
			inner[fmt.Sprintf("sample-%03d.bin", f)] = files.NewBytesFile(small(r))
		}
		outer["samples"] = files.NewMapDirectory(inner)
		top[fmt.Sprintf("station-%d", d+1)] = files.NewMapDirectory(outer)
	}
	return files.NewMapDirectory(top)
}

// bigFile gives the bytes of the large file.
func bigFile(seed uint64) []byte { return random(seed, bigFileSize) }

// small gives a few hundred to a few thousand random bytes.
func small(r *rand.Rand) []byte { return random(r.Uint64(), 200+r.IntN(4000)) }

func random(seed uint64, size int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

package piece

import (
	_ "unsafe" // for linkname

	"github.com/klauspost/cpuid/v2"
)

// gohashtreeShani is the switch by which gohashtree prefers the SHA instructions
// to vectors. They hash one pair at a time and wait for each other; sixteen pairs
// side by side in AVX-512 are several times faster on the processors that have
// both. If a version of gohashtree lacks the switch, linking fails.
//
//go:linkname gohashtreeShani github.com/prysmaticlabs/gohashtree.hasShani
var gohashtreeShani bool

func init() {
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512VL) {
		gohashtreeShani = false
	}
}

func hasVectors() bool {
	return cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512VL) || cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI2) ||
		cpuid.CPU.Supports(cpuid.SHA, cpuid.AVX)
}

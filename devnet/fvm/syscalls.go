package fvm

// syscallsOf lists everything that actors of a version may import. Actors before version
// 12 were built against an earlier interface, which differs in a few functions.
func syscallsOf(v abiVersion) []syscall {
	var all []syscall
	for _, part := range [][]syscall{actorSyscalls, ipldSyscalls, selfSyscalls, messageSyscalls, cryptoSyscalls, proofSyscalls} {
		all = append(all, part...)
	}
	if v == abiV3 {
		return append(all, legacySyscalls...)
	}
	return append(all, currentSyscalls...)
}

// abiVersion is the interface that actors were built against.
type abiVersion int

const (
	abiV4 abiVersion = iota // actors v12 and later
	abiV3                   // actors v10 and v11
)

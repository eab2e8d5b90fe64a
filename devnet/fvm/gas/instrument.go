package gas

// CounterExport is the name under which an instrumented module exports its gas counter, a mutable i64 of milligas left. Set it from
// [Tracker.Counter] before the module runs, read it for [Tracker.ChargeExec] in every system call and at the end. When gas runs out
// the module traps (unreachable) and the counter is negative; a trap with a counter of zero or more has another cause.
const CounterExport = "gas_counter"

// ModuleInfo is what a module takes before it executes anything, for [Prices.OnInit].
type ModuleInfo struct {
	// MemoryBytes is the initial size of the exported memory.
	MemoryBytes uint64
	// TableElements is the initial size of the exported table, TableExported whether there is one: ref-fvm charges for no other.
	TableElements uint64
	TableExported bool
}

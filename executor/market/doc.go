// Package market is what Tidegate does on Filecoin's storage market: it reads what
// PerpetualStorage offers to storage providers and what is due in it and in DataDAOs, and builds, signs and sends the
// Filecoin messages by which they answer, for `tidegate sp`.
//
// It keeps no key and no ledger: who signs is given, what is sent is awaited and then
// told, and what is due is put down as a job (executor/handler/keep).
//
// Map:
//
//	storage.go   Storage: the views of PerpetualStorage
//	slots.go     Slots: its open slots by pages, read once for each head
//	extension.go how the miner of a slot that ends may extend it
//	daotip.go    what DAOs pay whoever executes, and which of a factory's do
//	keeper.go    Keeper: calls that anyone may make, and are due, become jobs
//	dao.go       DAO: what is due in a DataDAO, and what its execution must be sent
//	daodata.go   what proposals carry, and the events in which it is found
//	words.go     reasons and reverts of the contracts in words
//	message.go   calls of contracts as Filecoin messages, proposals to multisigs, addresses
//	status.go    what the actors said of a deal or a sector at an epoch
//	node.go      a Filecoin node: FULLNODE_API_INFO, lotus/api, where sectors and miners are, collateral
//	datacap.go   what that node says of allocations, escrow, and whom a contract would be client of
//	wallet.go    senders: a key in this process, the node's wallet
//
// Invariants: a stranger's questions cost the endpoint a bounded number of calls for each
// head, one at a time; a message is pushed once, whatever happens while it is awaited.
package market

package main

// Go benchmarks, each with the rows that come of it. What runs against another
// system belongs in test/bench, where both sides run on the same content.
var goSuites = []goSuite{
	{
		pkg: "./test/bench", bench: "BenchmarkPinSmall", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "pin/1KiB", sub: "tidegate", unit: "pins/s", baselineSub: "kubo", baseline: "Kubo 0.42 in the same run",
			method: "3,000 DAGs of one 1 KiB block from a Kubo on loopback, 16 at a time, each durable; median of 3; to reach 1.5",
		}},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkPinLarge", benchtime: "1x", count: 5,
		rows: []goRow{{
			name: "pin/512MiB", unit: "MiB/s", baselineUnit: "kubo-MiB/s", baseline: "Kubo 0.42 in the same run, its files not synced (its default)",
			method: "one file of 512 MiB from a Kubo on loopback, ours durable; taking turns, median of 5; to reach 1.0",
		}},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkCommp", benchtime: "1x", count: 5,
		rows: []goRow{
			{
				name: "commp/one core", sub: "one", unit: "MB/s", baselineSub: "hashhash", baseline: "go-fil-commp-hashhash on one core in the same run",
				method: "254 MiB of random data; median of 5; to reach 8 where the processor lacks SHA instructions (they make the library faster, not us)",
			},
			{
				name: "commp/two cores", sub: "two", unit: "MB/s", baselineSub: "one", baseline: "ours on one core in the same run",
				method: "as commp/one core; median of 5; to reach 1.8",
			},
			{
				name: "commp/200 at once", sub: "many", unit: "MB/s", baselineSub: "two", baseline: "ours, one stream on two cores in the same run",
				method: "200 streams of 8.3 MB on two cores; median of 5; to reach 0.9",
			},
			{
				name: "commp/200 at once, memory", sub: "many", unit: "MiB", baseline: "ceiling", baselineValue: 1024,
				method: "heap taken from the system, all streams together; to stay below 1",
			},
		},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkCAR", benchtime: "1x", count: 5,
		rows: []goRow{
			{
				name: "car+commp one pass", sub: "one", unit: "MB/s", baseline: "floor", baselineValue: 200,
				method: "CAR, hashes of all blocks, commitment; 256 MiB in blocks of 256 KiB in memory, one core; median of 5; to reach 1",
			},
			{
				name: "car+commp one pass, two cores", sub: "two", unit: "MB/s", baselineSub: "one", baseline: "ours on one core in the same run",
				method: "as car+commp one pass; median of 5",
			},
		},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkExport", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "car+commp from disk", sub: "tidegate", unit: "MB/s", baselineSub: "kubo", baseline: "Kubo 0.42's dag export in the same run",
			method: "one file of 256 MiB that each node holds; ours also hashes every block and computes the commitment; median of 3",
		}},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkBackfill", benchtime: "1x", count: 3,
		rows: []goRow{
			{
				name: "backfill/200,000 events", sub: "tidegate", unit: "events/s", baselineSub: "fetch", baseline: "plain eth_getLogs with ethclient in the same run",
				method: "request events decoded into jobs, durable in SQLite, 40 a block, at most 10,000 an answer, from a node in a process of its own; median of 3; to reach 0.7",
			},
			{
				name: "backfill/calls", sub: "tidegate", unit: "calls/1000events", baseline: "ceiling", baselineValue: 1,
				method: "all calls of the backfill, refused ranges among them; to stay below 1",
			},
			{
				name: "backfill/memory", sub: "tidegate", unit: "MiB", baseline: "ceiling", baselineValue: 256,
				method: "most memory of the process, SQLite's included, beyond what it held before; after 50,000 events as after 200,000; to stay below 1",
			},
			{
				name: "backfill/ponder", sub: "tidegate", unit: "events/s", baselineSub: "ponder", baseline: "ponder 0.16 in the same run",
				method: "ours as above; ponder 20,000 of the same events of the same node, one row an event, its own PGlite on disk, its start not counted, not held to 20 calls a second; median of 3; to reach 8",
			},
		},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkFinalLag", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "watch/final to claimable", unit: "ms-p99", baseline: "ceiling", baselineValue: 100,
			method: "p99 of our own time at 100 requests/s, from the answer that shows a block final to its jobs being claimable; to stay below 1",
		}},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkAnswered", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "bridge/answered", unit: "answers/s", baseline: "floor", baselineValue: 150,
			method: "3,000 requests for pins of 1 KiB from a Kubo on loopback, to the last answer on chain; a whole daemon, anvil beside with a block each 250 ms, final after eight; median of 3; to reach 1",
		}},
	},
	{
		pkg: "./test/bench", bench: "BenchmarkAnswerLag", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "bridge/final to broadcast", unit: "ms-p99", baseline: "ceiling", baselineValue: 250,
			method: "p99 from the endpoint's answer that shows a request final to its result's transaction leaving, at 10 requests/s, pins done before; the batch window of 50 ms and the endpoint's answers (anvil) included; median of 3; to stay below 1",
		}},
	},
	{
		pkg: "./test/deals", bench: "BenchmarkTracking", benchtime: "1x", count: 1,
		rows: []goRow{{
			name: "deals/tracking", unit: "calls/epoch", baselineUnit: "bound-calls/epoch", baseline: "2, 3 for each deal that is due, and every 20 epochs 1 + 3 for each provider",
			method: "views and ranges of events asked of the chain for 1,000 active deals with 3 providers, each deal looked at once a day; mean of the 2,880 epochs of a day, of which none may be above its bound; to stay at 1 or below",
		}},
	},
	{
		pkg: "./executor/ipfs", bench: "BenchmarkPinSmall", benchtime: "2000x", count: 3,
		rows: []goRow{{
			name: "node/pin-1KiB", unit: "pins/s",
			method: "as pin/1KiB, from a second node of ours in the same process; median of 3",
		}},
	},
	{
		pkg: "./executor/ipfs", bench: "BenchmarkPinLarge", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "node/pin-large", unit: "MiB/s",
			method: "one large file from a second node of ours in the same process; median of 3",
		}},
	},
	{
		pkg: "./executor/ipfs", bench: "BenchmarkUnpin", count: 3,
		rows: []goRow{{
			name: "node/unpin", unit: "blocks/s",
			method: "dropping the last reference of a DAG in a full store; median of 3",
		}},
	},
	{
		pkg: "./internal/store", bench: "BenchmarkCommitBatch", count: 3,
		rows: []goRow{{
			name: "ledger/commit-batch", unit: "requests/s",
			method: "blocks, logs, requests, jobs and cursor of a batch in one SQLite transaction; median of 3",
		}},
	},
	{
		pkg: "./internal/store", bench: "BenchmarkClaimFinish", count: 3,
		rows: []goRow{{
			name: "ledger/claim-finish", unit: "pairs/s",
			method: "a job claimed under a lease and finished with its answer, two SQLite transactions; median of 3",
		}},
	},
	{
		pkg: "./devnet", bench: "BenchmarkStart", count: 3,
		rows: []goRow{{
			name: "devnet/start", unit: "ns/op", as: "ms", scale: 1e-6, baseline: "ceiling", baselineValue: 1000,
			method: "from nothing to an answer of its RPC, compiled actors on disk; median of 3; to stay below 1",
		}},
	},
	{
		pkg: "./devnet", bench: "BenchmarkFirstStart", benchtime: "1x", count: 3,
		rows: []goRow{{
			name: "devnet/start-first", unit: "ns/op", as: "s", scale: 1e-9, baseline: "ceiling", baselineValue: 25,
			method: "the same with an empty cache: all actors compiled; median of 3; to stay below 1",
		}},
	},
	{
		pkg: "./devnet/fvm", bench: "BenchmarkContractCall", count: 3,
		rows: []goRow{{
			name: "devnet/call", unit: "ns/op", as: "ms", scale: 1e-6, baseline: "ceiling", baselineValue: 2,
			method: "a message to a contract that reads and writes storage and logs, metered; median of 3; to stay below 1",
		}},
	},
	{
		pkg: "./devnet/chain", bench: "BenchmarkIdleEpoch", count: 3,
		rows: []goRow{{
			name: "devnet/idle-epoch", unit: "ns/op", as: "ms", scale: 1e-6, baseline: "ceiling", baselineValue: 5,
			method: "an epoch without messages: reward, cron, state root, header; median of 3; to stay below 1",
		}},
	},
	{
		pkg: "./devnet", bench: "BenchmarkSendOnDemand", count: 3,
		rows: []goRow{{
			name: "devnet/send", unit: "ns/op", as: "ms", scale: 1e-6,
			method: "one transfer sent over the RPC, mined on demand and final; median of 3",
		}},
	},
	{
		pkg: "./test/fevm", bench: "BenchmarkGas", benchtime: "1x", count: 1,
		rows: []goRow{
			{
				name: "fevm/ask", unit: "ask-gas", as: "M gas", scale: 1e-6, baseline: "FilecoinPay deposit (recorded on mainnet)", baselineValue: 20.6,
				method: "pinToEstuary by bytes on the devnet, whose gas is Filecoin's on every judged message of the public corpus; ceiling 40 M",
			},
			{
				name: "fevm/answer", unit: "answer-gas", as: "M gas", scale: 1e-6, baseline: "FilecoinPay deposit (recorded on mainnet)", baselineValue: 20.6,
				method: "fulfill of one report, 1 signature, without callback; ceiling 40 M",
			},
			{
				name: "fevm/answer-50", unit: "answer50-gas", as: "M gas", scale: 1e-6, baseline: "FilecoinPay deposit (recorded on mainnet)", baselineValue: 20.6,
				method: "fulfill of 50 such reports; ceiling 600 M",
			},
			{
				name: "fevm/answer-pinning", unit: "answer-pinning-gas", as: "M gas", scale: 1e-6, baseline: "FilecoinPay deposit (recorded on mainnet)", baselineValue: 20.6,
				method: "fulfill of one report to EstuaryPinning, with its callback",
			},
			{
				name: "fevm/answer-50-pinning", unit: "answer50-pinning-gas", as: "M gas", scale: 1e-6, baseline: "FilecoinPay deposit (recorded on mainnet)", baselineValue: 20.6,
				method: "fulfill of 50 such reports",
			},
		},
	},
	{
		pkg: "./devnet/provider", bench: "BenchmarkThousandSectors", benchtime: "50x", count: 3,
		rows: []goRow{
			{
				name: "devnet/epoch, 1,000 sectors", sub: "mined", unit: "ns/op", as: "ms", scale: 1e-6,
				method: "20 miners with 50 sectors each, a tipset in each epoch, window PoSts as they fall due; median of 3",
			},
			{
				name: "devnet/epoch, 1,000 sectors, let pass", sub: "passed", unit: "µs/epoch",
				method: "the same by Advance: tipsets only where a miner has to prove; median of 3",
			},
			{
				name: "devnet/memory, 1,000 sectors", sub: "passed", unit: "MiB",
				method: "heap in use after that and some days of history, all states kept; median of 3",
			},
		},
	},
}

// gasRows are read from the snapshots that Foundry's gas tests write.
var gasRows = []gasRow{
	{name: "gas/ask-bytes", group: "Ask", entry: "by bytes", baseline: "RaaS submit: no fee, no check (recorded)", baselineValue: 97_000, method: "ceiling 115,000"},
	{name: "gas/ask-string", group: "Ask", entry: "by string, base32", baseline: "ceiling", baselineValue: 130_000},
	{name: "gas/ask-string-v0", group: "Ask", entry: "by string, base58 (CIDv0)", baseline: "ceiling", baselineValue: 130_000},
	{name: "gas/ask-second-requester", group: "Ask", entry: "by string, second requester of a CID"},
	{name: "gas/ask-unpin", group: "Ask", entry: "unpin"},
	{name: "gas/answer", group: "Answer", entry: "one, no callback", baseline: "Chainlink Operator fulfil (recorded)", baselineValue: 62_000, method: "1 signature; ceiling 65,000"},
	{name: "gas/answer-by-signer", group: "Answer", entry: "one, no callback, sender is the signer", baseline: "Chainlink Operator fulfil (recorded)", baselineValue: 62_000, method: "1 signature, sent by its signer"},
	{name: "gas/answer-pinning", group: "Answer", entry: "one, to EstuaryPinning", method: "1 signature, with callback"},
	{name: "gas/answer-of-50", group: "Answer", entry: "fifty, no callback", each: 50, baseline: "ceiling", baselineValue: 25_000, method: "each of a batch of 50, 1 signature"},
	{name: "gas/answer-of-50-pinning", group: "Answer", entry: "fifty, to EstuaryPinning", each: 50, method: "each of a batch of 50, 1 signature, with callback"},
	{name: "size/EstuaryProvider", group: "Sizes", entry: "EstuaryProvider", unit: "bytes", baseline: "limit", baselineValue: 24_576},
	{name: "size/EstuaryPinning", group: "Sizes", entry: "EstuaryPinning", unit: "bytes", baseline: "limit", baselineValue: 24_576},
}

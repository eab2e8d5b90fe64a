// The request events of one provider, from one endpoint. BenchmarkBackfill sets the
// environment: ENDPOINT, CHAIN, PROVIDER, END, the last
// block to read, and STORE, where its database goes.
import { createConfig } from "ponder";
import { parseAbi } from "viem";

const { ENDPOINT, CHAIN, PROVIDER, END, STORE } = process.env;

// To each URL ponder makes at first 20 calls a second, and hardly more after a minute.
// That is how it spares public endpoints; so that it does not wait here, it is given
// ours by many names.
const names = Array.from({ length: 64 }, (_, i) => `${ENDPOINT}/${i}`);

export default createConfig({
  database: { kind: "pglite", directory: STORE },
  chains: { bench: { id: Number(CHAIN), rpc: names } },
  contracts: {
    Provider: {
      chain: "bench",
      address: PROVIDER as `0x${string}`,
      startBlock: 0,
      endBlock: Number(END),
      abi: parseAbi([
        "struct Terms { uint64 seq; address consumer; uint16 action; uint32 callbackGas; uint40 deadline; uint40 attemptUntil; address refundTo; uint96 fee; uint96 attemptFee; bytes32 payloadHash; bytes32 contextHash; }",
        "event OracleRequested(bytes32 indexed requestId, address indexed consumer, uint16 indexed action, Terms terms, bytes payload, bytes context)",
      ]),
    },
  },
});

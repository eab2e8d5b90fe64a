import { onchainTable } from "ponder";

// What our ledger's row of a request holds.
export const request = onchainTable("request", (t) => ({
  id: t.hex().primaryKey(),
  consumer: t.hex().notNull(),
  action: t.integer().notNull(),
  seq: t.bigint().notNull(),
  deadline: t.bigint().notNull(),
  attemptUntil: t.bigint().notNull(),
  refundTo: t.hex().notNull(),
  fee: t.bigint().notNull(),
  attemptFee: t.bigint().notNull(),
  payloadHash: t.hex().notNull(),
  payload: t.hex().notNull(),
  context: t.hex().notNull(),
  block: t.hex().notNull(),
  height: t.bigint().notNull(),
  tx: t.hex().notNull(),
}));

import { ponder } from "ponder:registry";
import { request } from "ponder:schema";

ponder.on("Provider:OracleRequested", async ({ event, context }) => {
  const { requestId, consumer, action, terms, payload, context: returned } = event.args;
  await context.db.insert(request).values({
    id: requestId,
    consumer,
    action,
    seq: terms.seq,
    deadline: BigInt(terms.deadline),
    attemptUntil: BigInt(terms.attemptUntil),
    refundTo: terms.refundTo,
    fee: terms.fee,
    attemptFee: terms.attemptFee,
    payloadHash: terms.payloadHash,
    payload,
    context: returned,
    block: event.block.hash,
    height: event.block.number,
    tx: event.transaction.hash,
  });
});

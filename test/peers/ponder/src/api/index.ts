// GET /stored: how many rows there are, how many seqs, and which are the outermost.
import { db } from "ponder:api";
import { request } from "ponder:schema";
import { Hono } from "hono";
import { count, countDistinct, max, min } from "ponder";

const app = new Hono();

app.get("/stored", async (c) => {
  const [row] = await db
    .select({ rows: count(), seqs: countDistinct(request.seq), first: min(request.seq), last: max(request.seq) })
    .from(request);
  return c.json({ rows: row.rows, seqs: row.seqs, first: Number(row.first), last: Number(row.last) });
});

export default app;

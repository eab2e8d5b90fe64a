-- The ledger. Invariants live here, not in comments: CHECKs tie columns to states,
-- partial UNIQUE indexes bound what may be undecided at once, triggers hold the
-- state machines' edges (drawn in docs/state-machines.md; a test compares all three).
-- Times are unix milliseconds, 0 for none; hashes are lower-case hex text.
-- Of more than two values a CHECK says OR: for IN (…), SQLite would build a table of them
-- for each row that is written.
-- +goose Up

-- ---------------------------------------------------------------- chain ----
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- canonical blocks near the head plus the anchors of range reads; chained by hash
CREATE TABLE block (
  hash   TEXT PRIMARY KEY,
  height INTEGER NOT NULL CHECK (height >= 0),
  parent TEXT NOT NULL,
  time   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX block_height ON block (height); -- only the canonical branch is stored

-- logs are never deleted
CREATE TABLE log (
  id       INTEGER PRIMARY KEY,
  filter   TEXT NOT NULL,
  height   INTEGER NOT NULL,
  block    TEXT NOT NULL,
  idx      INTEGER NOT NULL,
  tx       TEXT NOT NULL,
  tx_index INTEGER NOT NULL,
  address  TEXT NOT NULL,
  topics   TEXT NOT NULL, -- JSON array of hex
  data     BLOB NOT NULL,
  state    TEXT NOT NULL CHECK (state = 'seen' OR state = 'final' OR state = 'retracted'),
  seq      INTEGER,       -- the contract's own counter, when intake could decode it
  UNIQUE (block, idx)
) STRICT;
CREATE INDEX log_open ON log (height) WHERE state = 'seen';
CREATE UNIQUE INDEX log_seq ON log (address, seq) WHERE state <> 'retracted' AND seq IS NOT NULL;

-- the edges of chain.LogTransitions
CREATE TABLE log_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO log_edge VALUES ('seen', 'final'), ('seen', 'retracted'), ('retracted', 'seen');
-- +goose StatementBegin
CREATE TRIGGER log_moves BEFORE UPDATE OF state ON log WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'log: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM log_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER log_stays BEFORE DELETE ON log
BEGIN
  SELECT RAISE(ABORT, 'log: rows are never deleted');
END;
-- +goose StatementEnd

-- heights that a filter has been read for, as disjoint inclusive intervals
CREATE TABLE coverage (
  filter TEXT NOT NULL,
  lo     INTEGER NOT NULL,
  hi     INTEGER NOT NULL CHECK (hi >= lo),
  PRIMARY KEY (filter, lo)
) STRICT;

CREATE TABLE cursor (
  filter      TEXT PRIMARY KEY,
  height      INTEGER NOT NULL, -- newest covered height
  hash        TEXT NOT NULL,    -- '' when the anchor's header was not read
  final       INTEGER NOT NULL, -- newest final height acted on
  final_hash  TEXT NOT NULL DEFAULT '',
  soft        INTEGER NOT NULL DEFAULT 0,
  head        INTEGER NOT NULL DEFAULT 0,
  frozen      TEXT NOT NULL DEFAULT '', -- why the money lane is frozen, '' when it is not
  updated     INTEGER NOT NULL
) STRICT;

-- what the chain says of a request; rebuilt from logs
CREATE TABLE request (
  id          TEXT PRIMARY KEY,     -- 0x… bytes32
  chain       INTEGER NOT NULL,
  provider    TEXT NOT NULL,
  consumer    TEXT NOT NULL,
  requester   TEXT NOT NULL,
  action      INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  terms       BLOB NOT NULL,        -- abi-encoded Terms, what fulfill takes back
  payload     BLOB NOT NULL,
  context     BLOB NOT NULL,
  log_block   TEXT NOT NULL,
  log_idx     INTEGER NOT NULL,
  height      INTEGER NOT NULL,
  tx          TEXT NOT NULL,
  deadline    INTEGER NOT NULL,     -- unix milliseconds
  attempt_until INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state = 'open' OR state = 'answered' OR state = 'refunded' OR state = 'retracted'),
  final       INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),       -- the request's log is final
  closed_final INTEGER NOT NULL DEFAULT 0 CHECK (closed_final IN (0, 1)), -- the closing log is final
  close_tx    TEXT NOT NULL DEFAULT '',
  close_block TEXT NOT NULL DEFAULT '',
  close_idx   INTEGER NOT NULL DEFAULT 0,
  close_height INTEGER NOT NULL DEFAULT 0,
  outcome     INTEGER NOT NULL DEFAULT 0,
  reason      INTEGER NOT NULL DEFAULT 0,
  callback_failed INTEGER NOT NULL DEFAULT 0 CHECK (callback_failed IN (0, 1)),
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  CHECK (closed_final = 0 OR state IN ('answered', 'refunded')),
  CHECK ((state IN ('answered', 'refunded')) = (close_block <> ''))
) STRICT;
CREATE INDEX request_seq ON request (seq);
CREATE INDEX request_requester ON request (requester, seq);
CREATE INDEX request_height ON request (height) WHERE final = 0 AND state <> 'retracted';
CREATE INDEX request_closing ON request (close_height) WHERE closed_final = 0 AND close_block <> '';

-- the edges of chain.RequestTransitions
CREATE TABLE request_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO request_edge VALUES
  ('open', 'answered'), ('open', 'refunded'), ('open', 'retracted'),
  ('answered', 'open'), ('refunded', 'open'), ('retracted', 'open');
-- +goose StatementBegin
CREATE TRIGGER request_moves BEFORE UPDATE OF state ON request WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'request: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM request_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER request_final BEFORE UPDATE ON request
WHEN (OLD.final = 1 AND (NEW.final = 0 OR NEW.state = 'retracted'))
  OR (OLD.closed_final = 1 AND (NEW.closed_final = 0 OR NEW.state <> OLD.state))
BEGIN
  SELECT RAISE(ABORT, 'request: what is final does not change');
END;
-- +goose StatementEnd

-- callback events of the canonical branch that may still be rolled back; the
-- newest one decides request.callback_failed
CREATE TABLE callback (
  request TEXT NOT NULL,
  height  INTEGER NOT NULL,
  block   TEXT NOT NULL,
  idx     INTEGER NOT NULL,
  failed  INTEGER NOT NULL CHECK (failed IN (0, 1)),
  PRIMARY KEY (block, idx)
) STRICT;
CREATE INDEX callback_request ON callback (request, height, idx);
CREATE INDEX callback_height ON callback (height);

-- ------------------------------------------------------------------ job ----
CREATE TABLE job (
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL,
  kind        TEXT NOT NULL,
  class       INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state = 'available' OR state = 'running' OR state = 'retrying' OR state = 'snoozed'
    OR state = 'done' OR state = 'settled' OR state = 'cancelled' OR state = 'orphaned'
    OR state = 'dead'),
  request     TEXT NOT NULL DEFAULT '',
  requester   TEXT NOT NULL DEFAULT '',
  payload     TEXT NOT NULL,
  lane        TEXT NOT NULL CHECK (lane = 'now' OR lane = 'soft' OR lane = 'final'),
  answers     INTEGER NOT NULL DEFAULT 0 CHECK (answers IN (0, 1)), -- its outcome answers the request
  height      INTEGER NOT NULL DEFAULT 0, -- of the creating log; 0 for lane 'now'
  ready       INTEGER NOT NULL CHECK (ready IN (0, 1)), -- the lane has reached height
  due         INTEGER NOT NULL DEFAULT 0 CHECK (due IN (0, 1)), -- a claim saw that run_at has passed
  started     INTEGER NOT NULL DEFAULT 0 CHECK (started IN (0, 1)), -- was ever claimed: it may hold content
  attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  run_at      INTEGER NOT NULL,
  deadline    INTEGER NOT NULL DEFAULT 0,
  not_before  INTEGER NOT NULL DEFAULT 0,
  node_id     TEXT NOT NULL DEFAULT '', -- only this node may claim it
  claim_node  TEXT NOT NULL DEFAULT '', -- the node that claimed it last
  lease_owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence       INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
  outcome     INTEGER NOT NULL DEFAULT 0 CHECK (outcome = 0 OR outcome = 1 OR outcome = 2),
  reason      INTEGER NOT NULL DEFAULT 0,
  detail      TEXT NOT NULL DEFAULT '',
  last_error  TEXT NOT NULL DEFAULT '',
  progress    TEXT NOT NULL DEFAULT '{}',
  trace       TEXT NOT NULL DEFAULT '',
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  CHECK (lane <> 'now' OR ready = 1),
  CHECK (answers = 0 OR request <> ''),
  CHECK (due = 0 OR (ready = 1 AND state IN ('available', 'retrying', 'snoozed'))),
  CHECK ((state = 'running') = (lease_owner <> '')),
  CHECK ((state = 'running') = (lease_until > 0)),
  CHECK (state <> 'running' OR started = 1),
  CHECK (state <> 'done' OR outcome <> 0),
  CHECK (outcome = 0 OR state IN ('done', 'settled', 'orphaned')),
  CHECK ((reason <> 0) = (outcome = 2))
) STRICT;
CREATE UNIQUE INDEX job_answers ON job (request) WHERE answers = 1; -- one job answers a request
-- keys are unique: that of an answering job names its request, and there is one such job
-- a request. Long and in no order, they would cost half of what storing a job costs.
CREATE UNIQUE INDEX job_key ON job (key) WHERE answers = 0;
CREATE INDEX job_request ON job (request) WHERE request <> '' AND answers = 0;
CREATE INDEX job_state ON job (state, kind);
-- claiming: rows wait by time, become due, are then picked by (class, turn of the requester, age)
CREATE INDEX job_waiting ON job (lane, height) WHERE ready = 0;
CREATE INDEX job_timed ON job (kind, run_at) WHERE ready = 1 AND due = 0 AND state IN ('available', 'retrying', 'snoozed');
CREATE INDEX job_due ON job (kind, class, requester, run_at, id) WHERE due = 1;
CREATE INDEX job_lease ON job (kind, lease_until) WHERE state = 'running';

-- whose turn it is in each kind; kept by the trigger below, served by Claim
CREATE TABLE turn (
  kind      TEXT NOT NULL,
  requester TEXT NOT NULL,
  class     INTEGER NOT NULL,
  due       INTEGER NOT NULL CHECK (due >= 0),     -- due jobs of this class
  running   INTEGER NOT NULL CHECK (running >= 0), -- running jobs of every class
  served    INTEGER NOT NULL,                      -- number of the last turn taken, 0 = never
  PRIMARY KEY (kind, requester, class)
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_order ON turn (kind, class, running, served, requester) WHERE due > 0;
CREATE INDEX turn_served ON turn (kind, served);
-- +goose StatementBegin
CREATE TRIGGER job_turn_new BEFORE UPDATE OF due ON job WHEN NEW.due = 1
BEGIN
  INSERT INTO turn (kind, requester, class, due, running, served)
    SELECT NEW.kind, NEW.requester, NEW.class, 0, coalesce(max(running), 0), coalesce(max(served), 0)
    FROM turn WHERE kind = NEW.kind AND requester = NEW.requester
    ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_turn AFTER UPDATE OF due, state ON job
WHEN OLD.due <> NEW.due OR (OLD.state = 'running') <> (NEW.state = 'running')
BEGIN
  UPDATE turn SET due = due + (NEW.due - OLD.due) * (class = NEW.class),
      running = running + (NEW.state = 'running') - (OLD.state = 'running')
    WHERE kind = NEW.kind AND requester = NEW.requester;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_same BEFORE UPDATE OF key, kind, class, requester, request, answers ON job
BEGIN
  SELECT RAISE(ABORT, 'job: its identity never changes');
END;
-- +goose StatementEnd

-- the edges of executor/job.Transitions; a test compares the two
CREATE TABLE job_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO job_edge VALUES
  ('available', 'running'), ('available', 'cancelled'),
  ('running', 'done'), ('running', 'retrying'), ('running', 'snoozed'), ('running', 'available'),
  ('running', 'cancelled'), ('running', 'dead'),
  ('retrying', 'running'), ('retrying', 'cancelled'), ('retrying', 'available'),
  ('snoozed', 'running'), ('snoozed', 'cancelled'), ('snoozed', 'available'),
  ('done', 'settled'), ('done', 'orphaned'),
  ('settled', 'orphaned'),
  ('cancelled', 'available'), ('cancelled', 'settled'),
  ('orphaned', 'available'), ('orphaned', 'settled'),
  ('dead', 'available'), ('dead', 'cancelled'), ('dead', 'settled');
-- +goose StatementBegin
CREATE TRIGGER job_moves BEFORE UPDATE OF state ON job WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'job: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM job_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_fence BEFORE UPDATE OF fence ON job WHEN NEW.fence < OLD.fence
BEGIN
  SELECT RAISE(ABORT, 'job: fence went back');
END;
-- +goose StatementEnd

-- ------------------------------------------------------- answer → batch ----
CREATE TABLE batch (
  id            INTEGER PRIMARY KEY,
  config_digest TEXT NOT NULL,
  digest        TEXT NOT NULL, -- EIP-712 digest that operators sign; the same answers sealed again have the same
  state         TEXT NOT NULL CHECK (state = 'sealed' OR state = 'signed' OR state = 'submitted' OR state = 'final' OR state = 'failed'),
  threshold     INTEGER NOT NULL CHECK (threshold > 0),
  tx            INTEGER REFERENCES tx (id), -- the intent, once submitted
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  CHECK (tx IS NULL OR state NOT IN ('sealed', 'signed')),
  CHECK (tx IS NOT NULL OR state IN ('sealed', 'signed', 'failed')) -- failed without a tx: abandoned
) STRICT;
CREATE INDEX batch_open ON batch (id) WHERE state IN ('sealed', 'signed', 'submitted');
CREATE UNIQUE INDEX batch_digest ON batch (digest) WHERE state IN ('sealed', 'signed', 'submitted');
CREATE TABLE batch_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO batch_edge VALUES
  ('sealed', 'signed'), ('sealed', 'failed'), ('signed', 'submitted'), ('signed', 'failed'),
  ('submitted', 'final'), ('submitted', 'failed');
-- +goose StatementBegin
CREATE TRIGGER batch_moves BEFORE UPDATE OF state ON batch WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'batch: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM batch_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER batch_same BEFORE UPDATE OF config_digest, digest, threshold ON batch
BEGIN
  SELECT RAISE(ABORT, 'batch: a sealed batch is never edited');
END;
-- +goose StatementEnd

CREATE TABLE answer (
  job         INTEGER PRIMARY KEY REFERENCES job (id),
  request     TEXT NOT NULL UNIQUE,
  outcome     INTEGER NOT NULL CHECK (outcome IN (1, 2)),
  reason      INTEGER NOT NULL CHECK ((reason <> 0) = (outcome = 2)),
  result      BLOB NOT NULL CHECK (length(result) <= 1024),
  state       TEXT NOT NULL CHECK (state = 'pending' OR state = 'sealed' OR state = 'settled' OR state = 'withdrawn'),
  not_before  INTEGER NOT NULL,
  deadline    INTEGER NOT NULL,        -- of the request
  batch       INTEGER REFERENCES batch (id),
  position    INTEGER NOT NULL DEFAULT 0,
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  CHECK ((state = 'sealed') = (batch IS NOT NULL))
) STRICT;
CREATE INDEX answer_pending ON answer (deadline, job) WHERE state = 'pending';
CREATE INDEX answer_later ON answer (not_before) WHERE state = 'pending';
CREATE INDEX answer_batch ON answer (batch) WHERE batch IS NOT NULL;
CREATE TABLE answer_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO answer_edge VALUES
  ('pending', 'sealed'), ('pending', 'settled'), ('pending', 'withdrawn'),
  ('sealed', 'pending'), ('sealed', 'settled'), ('sealed', 'withdrawn');
-- +goose StatementBegin
CREATE TRIGGER answer_moves BEFORE UPDATE OF state ON answer WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'answer: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM answer_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd

-- what was sealed stays readable after answers went back to pending
CREATE TABLE batch_item (
  batch    INTEGER NOT NULL REFERENCES batch (id),
  position INTEGER NOT NULL,
  job      INTEGER NOT NULL REFERENCES job (id),
  request  TEXT NOT NULL REFERENCES request (id),
  outcome  INTEGER NOT NULL,
  reason   INTEGER NOT NULL,
  result   BLOB NOT NULL,
  PRIMARY KEY (batch, position),
  UNIQUE (batch, request)
) STRICT;

CREATE TABLE signature (
  batch  INTEGER NOT NULL REFERENCES batch (id),
  signer TEXT NOT NULL,
  sig    BLOB NOT NULL CHECK (length(sig) = 65),
  PRIMARY KEY (batch, signer)
) STRICT;

-- a signer never signs two results for one request
CREATE TABLE signed_result (
  signer      TEXT NOT NULL,
  request     TEXT NOT NULL,
  result_hash TEXT NOT NULL, -- keccak(outcome, reason, keccak(result))
  created     INTEGER NOT NULL,
  PRIMARY KEY (signer, request)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER signed_result_same BEFORE UPDATE ON signed_result
BEGIN
  SELECT RAISE(ABORT, 'signed_result: never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER signed_result_stays BEFORE DELETE ON signed_result
BEGIN
  SELECT RAISE(ABORT, 'signed_result: rows are never deleted');
END;
-- +goose StatementEnd

-- ------------------------------------------------------------------- tx ----
CREATE TABLE sender (
  address TEXT PRIMARY KEY,
  parked  TEXT NOT NULL DEFAULT '', -- why nothing is sent with this key, '' when it may send
  owner   TEXT NOT NULL DEFAULT '', -- lease
  until   INTEGER NOT NULL DEFAULT 0,
  fence   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tx (
  id        INTEGER PRIMARY KEY,
  intent    TEXT NOT NULL UNIQUE,   -- idempotency key of the caller
  sender    TEXT NOT NULL REFERENCES sender (address),
  target    TEXT NOT NULL,
  data      BLOB NOT NULL,
  value     TEXT NOT NULL,          -- decimal wei / attoFIL
  gas_limit INTEGER NOT NULL DEFAULT 0,
  expiry    INTEGER NOT NULL,       -- not broadcast for the first time after it; 0 = none
  state     TEXT NOT NULL CHECK (state = 'queued' OR state = 'prepared' OR state = 'signed' OR state = 'sent' OR state = 'mined'
    OR state = 'final' OR state = 'replaced' OR state = 'cancelled'),
  nonce     INTEGER, -- set back to NULL when a row is queued again, or cancelled before its bytes ever left
  why       TEXT NOT NULL DEFAULT '', -- why cancelled, replaced, or reverted
  reverted  INTEGER NOT NULL DEFAULT 0 CHECK (reverted IN (0, 1)),
  mined_hash   TEXT NOT NULL DEFAULT '',
  mined_block  TEXT NOT NULL DEFAULT '',
  mined_height INTEGER NOT NULL DEFAULT 0,
  gas_used  INTEGER NOT NULL DEFAULT 0,
  fee_paid  TEXT NOT NULL DEFAULT '0',
  fence     INTEGER NOT NULL,       -- the sender's fence under which it was last written
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL,
  CHECK ((nonce IS NULL) = (state = 'queued') OR state = 'cancelled'),
  CHECK (mined_hash <> '' OR state NOT IN ('mined', 'final')),
  CHECK (mined_hash = '' OR state IN ('mined', 'final', 'cancelled')) -- cancelled: an empty attempt took the nonce
) STRICT;
-- a nonce belongs to one intent; only a row whose bytes never left frees it
CREATE UNIQUE INDEX tx_nonce ON tx (sender, nonce) WHERE nonce IS NOT NULL;
CREATE UNIQUE INDEX tx_undecided ON tx (sender) WHERE state IN ('prepared', 'signed');
CREATE INDEX tx_open ON tx (sender, id) WHERE state IN ('queued', 'prepared', 'signed', 'sent', 'mined');

CREATE TABLE tx_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO tx_edge VALUES
  ('queued', 'prepared'), ('queued', 'cancelled'),
  ('prepared', 'signed'), ('prepared', 'queued'), ('prepared', 'cancelled'),
  ('signed', 'sent'), ('signed', 'cancelled'), ('signed', 'replaced'),
  ('sent', 'mined'), ('sent', 'replaced'), ('sent', 'cancelled'),
  ('mined', 'sent'), ('mined', 'final'), ('mined', 'cancelled'), ('mined', 'replaced');
-- +goose StatementBegin
CREATE TRIGGER tx_moves BEFORE UPDATE OF state ON tx WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'tx: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM tx_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd

-- every signed form of a tx; bytes are here before they are anywhere else
CREATE TABLE tx_attempt (
  hash     TEXT PRIMARY KEY,
  tx       INTEGER NOT NULL REFERENCES tx (id),
  raw      BLOB NOT NULL,
  nonce    INTEGER NOT NULL,
  tip      TEXT NOT NULL,
  fee_cap  TEXT NOT NULL,
  fence    INTEGER NOT NULL,
  empty    INTEGER NOT NULL DEFAULT 0 CHECK (empty IN (0, 1)), -- a self-transfer that frees the nonce
  reply    TEXT NOT NULL DEFAULT '', -- accepted, definitive: …, unknown: …
  loose    INTEGER NOT NULL DEFAULT 0 CHECK (loose IN (0, 1)), -- some reply did not rule out that a copy is out there
  created  INTEGER NOT NULL,
  broadcast INTEGER NOT NULL DEFAULT 0 -- last time, 0 = never
) STRICT;
CREATE INDEX tx_attempt_tx ON tx_attempt (tx);

-- +goose Down
DROP TABLE tx_attempt; DROP TABLE signature; DROP TABLE batch_item; DROP TABLE answer; DROP TABLE batch; DROP TABLE tx;
DROP TABLE sender; DROP TABLE signed_result; DROP TABLE job; DROP TABLE turn; DROP TABLE callback; DROP TABLE request;
DROP TABLE cursor; DROP TABLE coverage; DROP TABLE log; DROP TABLE block; DROP TABLE meta;
DROP TABLE tx_edge; DROP TABLE answer_edge; DROP TABLE batch_edge; DROP TABLE job_edge; DROP TABLE request_edge; DROP TABLE log_edge;

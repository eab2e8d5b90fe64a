-- The ledger. Invariants live here, not in comments: CHECKs tie columns to states,
-- partial UNIQUE indexes bound what may be undecided at once, triggers hold the
-- state machines' edges. Times are unix milliseconds, hashes are lower-case hex text.
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
  time   INTEGER NOT NULL,
  final  INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1))
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
  state    TEXT NOT NULL CHECK (state IN ('seen', 'final', 'retracted')),
  seq      INTEGER,       -- the contract's own counter, when intake could decode it
  UNIQUE (block, idx)
) STRICT;
CREATE INDEX log_open ON log (height) WHERE state = 'seen';
CREATE UNIQUE INDEX log_seq ON log (address, seq) WHERE state <> 'retracted' AND seq IS NOT NULL;

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
  state       TEXT NOT NULL CHECK (state IN ('open', 'answered', 'refunded', 'retracted')),
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
CREATE INDEX request_seq ON request (provider, seq);

-- ------------------------------------------------------------------ job ----
CREATE TABLE job (
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  class       INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state IN
    ('available', 'running', 'retrying', 'snoozed', 'done', 'settled', 'cancelled', 'orphaned', 'dead')),
  request     TEXT NOT NULL DEFAULT '',
  requester   TEXT NOT NULL DEFAULT '',
  payload     TEXT NOT NULL,
  lane        TEXT NOT NULL CHECK (lane IN ('now', 'soft', 'final')),
  height      INTEGER NOT NULL DEFAULT 0, -- of the creating log; 0 for lane 'now'
  ready       INTEGER NOT NULL CHECK (ready IN (0, 1)), -- the lane has reached height
  attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  run_at      INTEGER NOT NULL,
  deadline    INTEGER NOT NULL DEFAULT 0,
  not_before  INTEGER NOT NULL DEFAULT 0,
  node_id     TEXT NOT NULL DEFAULT '',
  lease_owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence       INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
  outcome     INTEGER NOT NULL DEFAULT 0 CHECK (outcome IN (0, 1, 2)),
  reason      INTEGER NOT NULL DEFAULT 0,
  detail      TEXT NOT NULL DEFAULT '',
  last_error  TEXT NOT NULL DEFAULT '',
  progress    TEXT NOT NULL DEFAULT '{}',
  trace       TEXT NOT NULL DEFAULT '',
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  CHECK (lane <> 'now' OR ready = 1),
  CHECK ((state = 'running') = (lease_owner <> '')),
  CHECK (state <> 'running' OR lease_until > 0),
  CHECK ((outcome <> 0) = (state IN ('done', 'settled', 'orphaned')) OR state IN ('cancelled', 'dead', 'settled')),
  CHECK ((reason <> 0) = (outcome = 2))
) STRICT;
CREATE INDEX job_due ON job (kind, class, run_at) WHERE ready = 1 AND state IN ('available', 'retrying', 'snoozed');
CREATE INDEX job_waiting ON job (height) WHERE ready = 0;
CREATE INDEX job_lease ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_request ON job (request) WHERE request <> '';

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
  digest        TEXT NOT NULL UNIQUE, -- EIP-712 digest that operators sign
  state         TEXT NOT NULL CHECK (state IN ('sealed', 'signed', 'submitted', 'final', 'failed')),
  threshold     INTEGER NOT NULL CHECK (threshold > 0),
  tx            INTEGER,              -- the intent, once submitted
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  CHECK ((tx IS NULL) = (state IN ('sealed', 'signed')))
) STRICT;

CREATE TABLE answer (
  job         INTEGER PRIMARY KEY REFERENCES job (id),
  request     TEXT NOT NULL UNIQUE,
  outcome     INTEGER NOT NULL CHECK (outcome IN (1, 2)),
  reason      INTEGER NOT NULL CHECK ((reason <> 0) = (outcome = 2)),
  result      BLOB NOT NULL CHECK (length(result) <= 1024),
  state       TEXT NOT NULL CHECK (state IN ('pending', 'sealed', 'settled', 'withdrawn')),
  not_before  INTEGER NOT NULL,
  batch       INTEGER REFERENCES batch (id),
  position    INTEGER NOT NULL DEFAULT 0,
  skip        TEXT NOT NULL DEFAULT '', -- why the contract skipped it last, or why sending is hopeless
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  CHECK ((state = 'sealed') = (batch IS NOT NULL))
) STRICT;
CREATE INDEX answer_pending ON answer (not_before) WHERE state = 'pending';
CREATE INDEX answer_batch ON answer (batch) WHERE batch IS NOT NULL;

-- what was sealed stays readable after answers went back to pending
CREATE TABLE batch_item (
  batch    INTEGER NOT NULL REFERENCES batch (id),
  position INTEGER NOT NULL,
  request  TEXT NOT NULL,
  outcome  INTEGER NOT NULL,
  reason   INTEGER NOT NULL,
  result   BLOB NOT NULL,
  PRIMARY KEY (batch, position)
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
  state     TEXT NOT NULL CHECK (state IN ('queued', 'prepared', 'signed', 'sent', 'mined', 'final', 'replaced', 'cancelled')),
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
  CHECK ((mined_hash <> '') = (state IN ('mined', 'final')))
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
  created  INTEGER NOT NULL,
  broadcast INTEGER NOT NULL DEFAULT 0 -- last time, 0 = never
) STRICT;
CREATE INDEX tx_attempt_tx ON tx_attempt (tx);

-- +goose Down
DROP TABLE tx_attempt; DROP TABLE tx_edge; DROP TABLE tx; DROP TABLE sender; DROP TABLE signed_result; DROP TABLE signature;
DROP TABLE batch_item; DROP TABLE answer; DROP TABLE batch; DROP TABLE job_edge; DROP TABLE job; DROP TABLE request;
DROP TABLE cursor; DROP TABLE coverage; DROP TABLE log; DROP TABLE block; DROP TABLE meta;

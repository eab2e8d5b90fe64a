-- Pieces: the CARs of prepared DAGs (items), the buckets in which they become
-- pieces on offer, the files that are kept of them, and tokens for fetching them.
-- +goose Up

CREATE TABLE bucket (
  id       INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: manifests outlive buckets
  format   TEXT NOT NULL CHECK (format = 'single' OR format = 'podsi' OR format = 'car'),
  state    TEXT NOT NULL CHECK (state = 'open' OR state = 'sealing' OR state = 'ready' OR state = 'cleaned' OR state = 'void'),
  why      TEXT NOT NULL DEFAULT '', -- what sealed it
  manifest TEXT NOT NULL DEFAULT '',
  piece    TEXT NOT NULL DEFAULT '',
  padded   INTEGER NOT NULL DEFAULT 0,
  size     INTEGER NOT NULL DEFAULT 0,
  created  INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  CHECK ((state IN ('ready', 'cleaned')) = (piece <> '')),
  CHECK ((piece <> '') = (manifest <> '') AND (piece <> '') = (padded > 0) AND (piece <> '') = (size > 0)),
  CHECK (format <> 'single' OR state IN ('ready', 'cleaned'))
) STRICT;
CREATE UNIQUE INDEX bucket_open ON bucket (format) WHERE state = 'open'; -- one takes items at a time
CREATE UNIQUE INDEX bucket_piece ON bucket (piece) WHERE state = 'ready';
CREATE INDEX bucket_state ON bucket (state, id);

-- the edges of job.BucketTransitions
CREATE TABLE bucket_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO bucket_edge VALUES ('open', 'sealing'), ('sealing', 'ready'), ('sealing', 'void'), ('ready', 'cleaned');
-- +goose StatementBegin
CREATE TRIGGER bucket_moves BEFORE UPDATE OF state ON bucket WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'bucket: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM bucket_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bucket_same BEFORE UPDATE OF manifest, piece, padded, size ON bucket
WHEN OLD.piece <> '' AND NEW.state IN ('ready', 'cleaned')
  AND (OLD.manifest <> NEW.manifest OR OLD.piece <> NEW.piece OR OLD.padded <> NEW.padded OR OLD.size <> NEW.size)
BEGIN
  SELECT RAISE(ABORT, 'bucket: its piece never changes');
END;
-- +goose StatementEnd

-- an item is in one bucket at most: one column says which
CREATE TABLE item (
  piece   TEXT PRIMARY KEY,
  root    TEXT NOT NULL UNIQUE,
  padded  INTEGER NOT NULL CHECK (padded >= 128),
  car     INTEGER NOT NULL CHECK (car > 0),
  blocks  INTEGER NOT NULL,
  state   TEXT NOT NULL CHECK (state = 'waiting' OR state = 'placed' OR state = 'bad'),
  bucket  INTEGER REFERENCES bucket (id),
  error   TEXT NOT NULL DEFAULT '',
  until   INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  CHECK ((bucket IS NULL) = (state = 'bad')),
  CHECK ((error <> '') = (state = 'bad'))
) STRICT;
CREATE INDEX item_bucket ON item (bucket, piece);
CREATE INDEX item_bad ON item (updated) WHERE state = 'bad';

-- who asked for an item: requests, or keys of local jobs
CREATE TABLE item_ref (
  ref   TEXT NOT NULL,
  piece TEXT NOT NULL REFERENCES item (piece) ON DELETE CASCADE,
  PRIMARY KEY (ref, piece)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_ref_piece ON item_ref (piece);

-- the manifest of a piece; written once, when the bucket becomes ready
CREATE TABLE bucket_item (
  bucket   INTEGER NOT NULL REFERENCES bucket (id),
  position INTEGER NOT NULL CHECK (position >= 0),
  "offset" INTEGER NOT NULL CHECK ("offset" >= 0),
  piece    TEXT NOT NULL,
  root     TEXT NOT NULL,
  padded   INTEGER NOT NULL,
  car      INTEGER NOT NULL,
  PRIMARY KEY (bucket, position),
  UNIQUE (bucket, piece)
) STRICT, WITHOUT ROWID;
-- +goose StatementBegin
CREATE TRIGGER bucket_item_same BEFORE UPDATE ON bucket_item
BEGIN
  SELECT RAISE(ABORT, 'bucket_item: a manifest never changes');
END;
-- +goose StatementEnd

-- files of the piece directory; a row is older than its file
CREATE TABLE piece_file (
  name     TEXT PRIMARY KEY,
  bucket   INTEGER NOT NULL DEFAULT 0,
  piece    TEXT NOT NULL,
  size     INTEGER NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
  created  INTEGER NOT NULL
) STRICT;
CREATE INDEX piece_file_piece ON piece_file (piece);

CREATE TABLE piece_token (
  hash    TEXT PRIMARY KEY, -- of the token, which is stored nowhere
  piece   TEXT NOT NULL,
  deal    TEXT NOT NULL,
  expires INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX piece_token_expires ON piece_token (expires);

-- +goose Down
DROP TABLE piece_token; DROP TABLE piece_file; DROP TABLE bucket_item; DROP TABLE item_ref; DROP TABLE item; DROP TABLE bucket;
DROP TABLE bucket_edge;

-- Many daemons on one ledger: who leads what, and their content nodes.
-- +goose Up

-- one owner at a time; a new one has a higher fence, and a write under an older
-- fence changes nothing
CREATE TABLE lease (
  name  TEXT PRIMARY KEY,
  owner TEXT NOT NULL, -- '' when it was given back
  until INTEGER NOT NULL,
  fence INTEGER NOT NULL CHECK (fence > 0),
  CHECK ((owner = '') = (until = 0))
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER lease_fence BEFORE UPDATE OF fence ON lease WHEN NEW.fence < OLD.fence
BEGIN
  SELECT RAISE(ABORT, 'lease: fence went back');
END;
-- +goose StatementEnd

CREATE TABLE node (
  id    TEXT PRIMARY KEY, -- peer id
  addrs TEXT NOT NULL,    -- JSON array of multiaddrs
  seen  INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE node; DROP TABLE lease;

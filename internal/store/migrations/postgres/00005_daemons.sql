-- Many daemons on one ledger: who leads what, and their content nodes.
-- +goose Up

-- one owner at a time; a new one has a higher fence, and a write under an older
-- fence changes nothing
CREATE TABLE lease (
  name  TEXT COLLATE "C" PRIMARY KEY,
  owner TEXT COLLATE "C" NOT NULL, -- '' when it was given back
  until BIGINT NOT NULL,
  fence BIGINT NOT NULL CHECK (fence > 0),
  CHECK ((owner = '') = (until = 0))
);
-- +goose StatementBegin
CREATE FUNCTION lease_fence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'lease: fence went back' USING ERRCODE = 'check_violation';
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER lease_fence BEFORE UPDATE OF fence ON lease FOR EACH ROW WHEN (NEW.fence < OLD.fence) EXECUTE FUNCTION lease_fence();

CREATE TABLE node (
  id    TEXT COLLATE "C" PRIMARY KEY, -- peer id
  addrs TEXT COLLATE "C" NOT NULL,    -- JSON array of multiaddrs
  seen  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE node; DROP TABLE lease; DROP FUNCTION lease_fence();

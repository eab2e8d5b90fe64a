-- Slots that providers have claimed, and what is known of handing them the deal.
-- +goose Up

CREATE TABLE claimed (
  slot      BIGINT PRIMARY KEY CHECK (slot > 0),
  miner     BIGINT NOT NULL CHECK (miner > 0),
  piece     TEXT COLLATE "C" NOT NULL,
  deadline  BIGINT NOT NULL,
  due_epoch BIGINT NOT NULL,
  looks     BIGINT NOT NULL,
  why       TEXT COLLATE "C" NOT NULL,
  alarm     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX claimed_due ON claimed (due_epoch);

-- Claims of before are found by reading the events once more.
DELETE FROM meta WHERE key LIKE 'deals:0x%';

-- +goose Down
DROP TABLE claimed;

-- What is final does not change, unless a person accepts that the chain did: while
-- reorg_accepted has its row, which it has only within one transaction, what is above
-- its height may be taken back.
-- +goose Up

CREATE TABLE reorg_accepted (
  one    BIGINT PRIMARY KEY CHECK (one = 1),
  height BIGINT NOT NULL
);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION log_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM log_edge WHERE from_state = OLD.state AND to_state = NEW.state)
    AND NOT (OLD.state = 'final' AND NEW.state = 'retracted' AND EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.height)) THEN
    RAISE EXCEPTION 'log: no such transition' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION request_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.final = 1 AND (NEW.final = 0 OR NEW.state = 'retracted') AND NOT EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.height))
    OR (OLD.closed_final = 1 AND (NEW.closed_final = 0 OR NEW.state <> OLD.state)
      AND NOT EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.close_height)) THEN
    RAISE EXCEPTION 'request: what is final does not change' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION tx_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM tx_edge WHERE from_state = OLD.state AND to_state = NEW.state)
    AND NOT (OLD.state = 'final' AND NEW.state = 'sent' AND EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.mined_height)) THEN
    RAISE EXCEPTION 'tx: no such transition' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE reorg_accepted;

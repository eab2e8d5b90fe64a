-- What is final does not change, unless a person accepts that the chain did: while
-- reorg_accepted has its row, which it has only within one transaction, what is above
-- its height may be taken back.
-- +goose Up

CREATE TABLE reorg_accepted (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  height INTEGER NOT NULL
) STRICT;

DROP TRIGGER log_moves;
-- +goose StatementBegin
CREATE TRIGGER log_moves BEFORE UPDATE OF state ON log WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'log: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM log_edge WHERE from_state = OLD.state AND to_state = NEW.state)
    AND NOT (OLD.state = 'final' AND NEW.state = 'retracted' AND EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.height));
END;
-- +goose StatementEnd

DROP TRIGGER request_final;
-- +goose StatementBegin
CREATE TRIGGER request_final BEFORE UPDATE ON request
WHEN (OLD.final = 1 AND (NEW.final = 0 OR NEW.state = 'retracted') AND NOT EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.height))
  OR (OLD.closed_final = 1 AND (NEW.closed_final = 0 OR NEW.state <> OLD.state)
    AND NOT EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.close_height))
BEGIN
  SELECT RAISE(ABORT, 'request: what is final does not change');
END;
-- +goose StatementEnd

DROP TRIGGER tx_moves;
-- +goose StatementBegin
CREATE TRIGGER tx_moves BEFORE UPDATE OF state ON tx WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'tx: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM tx_edge WHERE from_state = OLD.state AND to_state = NEW.state)
    AND NOT (OLD.state = 'final' AND NEW.state = 'sent' AND EXISTS (SELECT 1 FROM reorg_accepted WHERE height < OLD.mined_height));
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE reorg_accepted;

-- Many daemons on one ledger, and what the sender asks before it sends.
-- +goose Up
CREATE INDEX batch_tx ON batch (tx) WHERE tx IS NOT NULL;
CREATE INDEX tx_spent ON tx (sender, updated) WHERE mined_hash <> '';

-- +goose Down
DROP INDEX tx_spent;
DROP INDEX batch_tx;

-- Messages accepted from phones while the connector of their mail was away. `submission` is all but
-- the message, in JSON that the server alone reads.
CREATE TABLE outbox (
    n BIGINT PRIMARY KEY,
    user_id TEXT NOT NULL,
    address TEXT NOT NULL,
    display_name TEXT,
    submission TEXT NOT NULL,
    message BYTES NOT NULL,
    queued BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    trouble TEXT
) STRICT;
CREATE INDEX outbox_user ON outbox (user_id, n);

-- Messages accepted from phones while the connector of their mail was away. `submission` is all but
-- the message, in JSON that the server alone reads; `act` is the act's key in it. Those that are set
-- aside wait for an administrator.
CREATE TABLE outbox (
    n BIGINT PRIMARY KEY,
    user_id TEXT NOT NULL,
    act TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    display_name TEXT,
    submission TEXT NOT NULL,
    message BYTES NOT NULL,
    queued BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    aside BIGINT NOT NULL,
    trouble TEXT
) STRICT;
CREATE INDEX outbox_user ON outbox (user_id, aside, n);

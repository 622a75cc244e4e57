-- The record of administrators' acts. An act has two rows: one before it is begun, with `act` and
-- `targets`, and one with what came of it, with `begun`, `outcome` and `reason`. Rows are only
-- added; each holds the hash of the one before it.
CREATE TABLE audit (
    number BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    address TEXT,
    means TEXT NOT NULL,
    act TEXT,
    targets TEXT,
    begun BIGINT,
    outcome TEXT,
    reason TEXT,
    changes TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_begun ON audit (begun);

-- Who signed which row as the newest, with the key it was signed with. `signer` is the connector's
-- id, or empty for the server's own authority.
CREATE TABLE audit_signature (
    signer TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    time BIGINT NOT NULL,
    signed BIGINT NOT NULL,
    public_key BYTES NOT NULL,
    signature BYTES NOT NULL,
    PRIMARY KEY (signer, number)
) STRICT;

-- What administrators may want to know. `number` is made of the time, so that a range of time is
-- one of numbers.
CREATE TABLE event (
    number BIGINT PRIMARY KEY,
    level BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    device_id TEXT,
    connector TEXT,
    request TEXT,
    message TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX event_level ON event (level, number);
CREATE INDEX event_kind ON event (kind, number);
CREATE INDEX event_user ON event (user_id, number);
CREATE INDEX event_device ON event (device_id, number);
CREATE INDEX event_connector ON event (connector, number);
CREATE INDEX event_request ON event (request, number);

-- Counts of an hour or a day (`span` is its length in seconds) from `start` on. Empty is what is
-- not known of a request. `under_…` count requests that took less than so many milliseconds;
-- waiting ones are in none.
CREATE TABLE statistic (
    span BIGINT NOT NULL,
    start BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    connector TEXT NOT NULL,
    command TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    received BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    items BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    longest_us BIGINT NOT NULL,
    under_5 BIGINT NOT NULL,
    under_10 BIGINT NOT NULL,
    under_25 BIGINT NOT NULL,
    under_50 BIGINT NOT NULL,
    under_100 BIGINT NOT NULL,
    under_250 BIGINT NOT NULL,
    under_500 BIGINT NOT NULL,
    under_1000 BIGINT NOT NULL,
    under_5000 BIGINT NOT NULL,
    longer BIGINT NOT NULL,
    PRIMARY KEY (span, start, user_id, device_id, connector, command)
) STRICT;

-- What is to be delivered to others by HTTP, and how it goes with each of them.
CREATE TABLE webhook_delivery (
    n BIGINT PRIMARY KEY,
    webhook TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    queued BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT NOT NULL,
    trouble TEXT
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook, due);
CREATE TABLE webhook (
    name TEXT PRIMARY KEY,
    failing_since BIGINT,
    disabled BIGINT NOT NULL,
    trouble TEXT,
    delivered BIGINT
) STRICT;

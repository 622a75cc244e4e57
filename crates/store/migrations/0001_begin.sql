-- Only BIGINT, TEXT and BYTES: the words every database can be given (see migrations.rs).
-- Times are milliseconds since 1970, UTC.

-- The numbers phones know a user's collections by. A number whose collection is null stands for
-- nothing any more and is not given again.
CREATE TABLE folder (
    user_id TEXT NOT NULL,
    no BIGINT NOT NULL,
    collection TEXT,
    PRIMARY KEY (user_id, no),
    UNIQUE (user_id, collection)
) STRICT;

-- What each device holds; the engine alone can read it.
CREATE TABLE sync_state (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    slot BIGINT NOT NULL,
    no BIGINT NOT NULL,
    state BYTES NOT NULL,
    PRIMARY KEY (user_id, device_id, slot, no)
) STRICT;

-- Acts of sending. `sent` is null until the act is known to have been carried out.
CREATE TABLE submission (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    act TEXT NOT NULL,
    begun BIGINT NOT NULL,
    sent TEXT,
    PRIMARY KEY (user_id, device_id, act)
) STRICT;
CREATE INDEX submission_begun ON submission (begun);

CREATE TABLE sync_trace (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id, n)
) STRICT;

CREATE TABLE device (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    device_type TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    protocol TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    admission TEXT NOT NULL,
    policy TEXT NOT NULL,
    wipe TEXT NOT NULL,
    information TEXT NOT NULL,
    notice_sent BIGINT,
    PRIMARY KEY (user_id, device_id)
) STRICT;

-- Users switched off here, whatever the directory says.
CREATE TABLE disabled_user (
    user_id TEXT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
) STRICT;

CREATE TABLE connector (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    enrolled BIGINT NOT NULL,
    last_seen BIGINT
) STRICT;

-- One or two a connector: the older is 0, one that was never used yet is 1.
CREATE TABLE connector_key (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    connector TEXT NOT NULL,
    newer BIGINT NOT NULL,
    UNIQUE (connector, newer)
) STRICT;

CREATE TABLE enrolment (
    hash TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    approval TEXT NOT NULL,
    expires BIGINT NOT NULL,
    used_by TEXT
) STRICT;

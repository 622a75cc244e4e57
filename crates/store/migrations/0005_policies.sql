-- What administrators decide by rules, by the name of the book: levels of policy, admission,
-- behaviour. JSON that the server alone reads. Who writes names the revision he has read.
CREATE TABLE rule_book (
    name TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    content TEXT NOT NULL,
    changed BIGINT NOT NULL,
    author TEXT NOT NULL
) STRICT;

-- The policy's level of a single device, likewise.
CREATE TABLE device_level (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    content TEXT NOT NULL,
    changed BIGINT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;

-- Who decided of the device's admission, and why; null where that is older than this step.
ALTER TABLE device ADD COLUMN decision TEXT;
-- That it is slowed down or shut out because it misbehaves, and why.
ALTER TABLE device ADD COLUMN hold TEXT;
-- What waits for its next contact.
ALTER TABLE device ADD COLUMN commands TEXT NOT NULL DEFAULT '[]';

-- Orders to wipe, kept when the device is gone: `record` is all but the key, in JSON.
CREATE TABLE wipe_order (
    n BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    requested BIGINT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX wipe_order_device ON wipe_order (user_id, device_id, n);
CREATE INDEX wipe_order_requested ON wipe_order (requested);

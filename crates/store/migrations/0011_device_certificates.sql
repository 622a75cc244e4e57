-- Certificates for one device each, by the SHA-256 of their keys in hexadecimal digits; bound to the
-- first that shows it. They stay for the record when they are taken back, until long after their end.
CREATE TABLE device_certificate (
    user_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    serial TEXT NOT NULL,
    label TEXT NOT NULL,
    made BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    device_id TEXT,
    bound BIGINT,
    revoked BIGINT,
    noticed BIGINT,
    PRIMARY KEY (user_id, n)
) STRICT;

-- `with_certificate`: the device that is added is given one.
ALTER TABLE invitation ADD COLUMN with_certificate BIGINT NOT NULL DEFAULT 0;

-- What users make and do for themselves. Secrets are kept as SHA-256, in hexadecimal digits: each has
-- 128 random bits at least.

-- Passwords for one device each; bound to the first that shows it.
CREATE TABLE device_password (
    user_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    made BIGINT NOT NULL,
    device_id TEXT,
    bound BIGINT,
    PRIMARY KEY (user_id, n)
) STRICT;

-- What users call their devices.
CREATE TABLE device_label (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;

-- Links with which a device is added without signing in on it. `with_password`: it is given one.
CREATE TABLE invitation (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    label TEXT NOT NULL,
    with_password BIGINT NOT NULL,
    expires BIGINT NOT NULL
) STRICT;

-- Terms of use; the highest version holds. An empty text asks for nothing.
CREATE TABLE terms (
    version BIGINT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    published BIGINT NOT NULL,
    publisher TEXT NOT NULL
) STRICT;

CREATE TABLE terms_accepted (
    user_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    client TEXT NOT NULL,
    PRIMARY KEY (user_id, version)
) STRICT;

-- Devices that wait until their user has accepted the terms.
CREATE TABLE terms_hold (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;

-- By what administrators sign in beside the directory's password.

-- A user's second factor. `secret` is sealed; `step` is the last whose code was used.
CREATE TABLE second_factor (
    user_id TEXT NOT NULL PRIMARY KEY,
    secret BYTES NOT NULL,
    made BIGINT NOT NULL,
    step BIGINT NOT NULL
) STRICT;

-- Codes in the place of it, each good once: as SHA-256, each has 120 random bits.
CREATE TABLE recovery_code (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
) STRICT;

-- The account for emergencies. `password` is an Argon2id hash; `used` and `client`: when it was used
-- last, and from which address.
CREATE TABLE emergency_account (
    name TEXT NOT NULL PRIMARY KEY,
    password TEXT NOT NULL,
    made BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    used BIGINT,
    client TEXT
) STRICT;

-- The user who made a token; none where it was made at the server.
ALTER TABLE api_token ADD COLUMN maker TEXT;
UPDATE api_token SET maker = made_by WHERE LOWER(made_by) LIKE '%@%';

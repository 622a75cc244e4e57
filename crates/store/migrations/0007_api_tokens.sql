-- Tokens that programs administer by. Only the hash of each is kept. `duties` are names with blanks
-- between them.
CREATE TABLE api_token (
    name TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    duties TEXT NOT NULL,
    made BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT
) STRICT;
CREATE UNIQUE INDEX api_token_hash ON api_token (hash);

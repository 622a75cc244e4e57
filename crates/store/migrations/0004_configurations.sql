-- What a connector is to serve: TOML with marks where secrets stood, and those secrets sealed to
-- the connector's key.
CREATE TABLE connector_configuration (
    connector TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    settings TEXT NOT NULL,
    sealed TEXT NOT NULL,
    changed BIGINT NOT NULL
) STRICT;

-- What a connector said last of its configuration, and the key to seal the next one to.
CREATE TABLE connector_report (
    connector TEXT PRIMARY KEY,
    report TEXT NOT NULL,
    reported BIGINT NOT NULL
) STRICT;

-- What a connector is to do at its next contact; the same twice is one.
CREATE TABLE connector_order (
    connector TEXT NOT NULL,
    what TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (connector, what)
) STRICT;

-- What each connector found out last about itself, when it was asked to at its next contact.
CREATE TABLE connector_diagnosis (
    connector TEXT PRIMARY KEY,
    diagnosis TEXT NOT NULL,
    taken BIGINT NOT NULL
) STRICT;

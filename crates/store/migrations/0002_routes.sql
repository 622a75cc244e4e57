-- Which connector serves a user's function. `home` is the one that does while all is well.
CREATE TABLE route (
    user_id TEXT NOT NULL,
    function TEXT NOT NULL,
    home TEXT NOT NULL,
    serving TEXT NOT NULL,
    since BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (user_id, function)
) STRICT;
CREATE INDEX route_home ON route (home);

-- What a connector offered when it was last linked.
CREATE TABLE connector_offer (
    connector TEXT PRIMARY KEY,
    offer TEXT NOT NULL
) STRICT;

-- What administrators set of a connector, by its name; beside what the configuration says.
CREATE TABLE connector_setting (
    name TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    settings TEXT NOT NULL,
    changed BIGINT NOT NULL
) STRICT;

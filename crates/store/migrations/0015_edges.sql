-- At which connector, by name, a device's states are. They are here where there is no row.
CREATE TABLE device_place (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    place TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;

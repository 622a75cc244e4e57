-- Lists of many devices: those that came last first, how many there are of each kind and state, and
-- the few that are to be wiped or misbehave.
CREATE INDEX device_last_seen ON device (last_seen);
CREATE INDEX device_kind ON device (device_type, admission);
CREATE INDEX device_wipe ON device (wipe) WHERE wipe <> '{"state":"none"}';
CREATE INDEX device_hold ON device (user_id) WHERE hold IS NOT NULL;

-- What of orders to wipe is counted: those that wait for a second administrator, and apart from
-- administrators' those that users gave for devices of their own.
ALTER TABLE wipe_order ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wipe_order ADD COLUMN own BIGINT NOT NULL DEFAULT 0;
-- What is quoted within the record has its quotes escaped there.
UPDATE wipe_order SET waits = 1 WHERE LOWER(record) LIKE '%"needs_second":true%'
    AND LOWER(record) NOT LIKE '%"confirmed":%' AND LOWER(record) NOT LIKE '%"cancelled":%'
    AND LOWER(record) NOT LIKE '%"acknowledged":%';
CREATE INDEX wipe_order_waits ON wipe_order (n) WHERE waits = 1;

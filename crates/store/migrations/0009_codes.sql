-- The connector that comes back with it: then it is a code, and no token.
ALTER TABLE enrolment ADD COLUMN connector TEXT;

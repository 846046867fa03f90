-- How far the other side of a one-to-one conversation had read when its account was erased; until then its own row says.
ALTER TABLE state ADD COLUMN peer_read BIGINT NOT NULL DEFAULT 0;

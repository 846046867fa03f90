-- batch.count has been 0 since there are shares, and nobody reads it: how many conversations a batch took stands in
-- `operation.count` and in its shares. A table of the same rows takes the old one's place, because SQLite drops columns
-- only from 3.35 on.
CREATE TABLE batch_uncounted (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    batch_id TEXT NOT NULL,
    device BIGINT NOT NULL,
    time BIGINT NOT NULL,
    what SMALLINT NOT NULL,
    clear SMALLINT NOT NULL,
    until BIGINT NOT NULL,
    status SMALLINT NOT NULL,
    answer TEXT,
    UNIQUE (account, batch_id)
) /* clustered */;
INSERT INTO batch_uncounted (id, account, batch_id, device, time, what, clear, until, status, answer)
    SELECT id, account, batch_id, device, time, what, clear, until, status, answer FROM batch;
DROP TABLE batch;
ALTER TABLE batch_uncounted RENAME TO batch;
CREATE INDEX batch_until ON batch (status, until);

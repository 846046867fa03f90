-- When an account was erased: its row stays, so that its name is never given out again and what was said keeps a sender.
ALTER TABLE account ADD COLUMN erased BIGINT;

-- Erased accounts of which there may still be rows elsewhere, and since when; they go a piece at a time.
CREATE TABLE departure (account BIGINT PRIMARY KEY, time BIGINT NOT NULL) /* clustered */;

-- Whom an account has blocked.
CREATE TABLE block (
    account BIGINT NOT NULL,
    blocked BIGINT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (account, blocked)
) /* clustered */;
CREATE INDEX block_blocked ON block (blocked);

-- What administrators did, with the names of that time. Never the body of a message.
CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    administrator TEXT NOT NULL,
    device_name TEXT NOT NULL,
    what TEXT NOT NULL,
    whom TEXT,
    details TEXT NOT NULL
) /* clustered */;
CREATE INDEX audit_time ON audit (time);

-- Who made an invitation, so that those of a former administrator are no longer good. NULL: whoever runs the server.
ALTER TABLE invite ADD COLUMN creator BIGINT;

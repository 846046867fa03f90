-- Conversations in which settled watermarks moved: messages there may be visible to nobody any more. One row for each
-- user whose watermark it was: who notes that has locked the user, so that on PostgreSQL no two ever wait for each
-- other's row. account: 0 where it is nobody's in particular.
CREATE TABLE perhaps_unseen (
    conversation BIGINT NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (conversation, account)
) /* clustered */;
INSERT INTO perhaps_unseen (conversation, account) SELECT conversation, 0 FROM erasure;
DROP TABLE erasure;

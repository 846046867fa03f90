-- unindexed: 1 where messages follow indexed_through. The first of them sets it, and no other touches it: an index over
-- what each message changes is one page more in every commit.
ALTER TABLE conversation ADD COLUMN unindexed SMALLINT NOT NULL DEFAULT 0;
UPDATE conversation SET unindexed = 1 WHERE indexed_through < last_seq;
DROP INDEX conversation_unindexed;
CREATE INDEX conversation_unindexed ON conversation (id) WHERE unindexed = 1;

-- How far a conversation's messages stand in search_block.
ALTER TABLE conversation ADD COLUMN indexed_through BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversation_unindexed ON conversation (id) WHERE indexed_through < last_seq;

-- Which characters and pairs of characters stand in a stretch of a conversation. id: the conversation's key times 2^32,
-- and first_seq. signature NULL: something in it was changed, and it is to be made anew.
CREATE TABLE search_block (
    id BIGINT PRIMARY KEY,
    conversation BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    first_time BIGINT NOT NULL,
    last_time BIGINT NOT NULL,
    signature BYTEA
);
CREATE INDEX search_block_conversation
    ON search_block (conversation, last_time, first_time, first_seq, last_seq, id);
CREATE INDEX search_block_stale ON search_block (id) WHERE signature IS NULL;

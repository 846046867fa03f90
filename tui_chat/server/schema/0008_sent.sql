-- The newest message that this user wrote there; 0 for none.
ALTER TABLE state ADD COLUMN sent_seq BIGINT NOT NULL DEFAULT 0;
UPDATE state SET sent_seq = COALESCE(
    (SELECT MAX(m.seq) FROM message m
        WHERE m.conversation = state.conversation AND m.sender = state.account AND m.type = 0),
    0);

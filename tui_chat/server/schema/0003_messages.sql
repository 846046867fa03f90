-- version counts every change of a message; edited_at: when its text was changed last. recalled: its body is gone, and
-- text is empty, not NULL as where nobody can see it.
ALTER TABLE message ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN edited_at BIGINT;
ALTER TABLE message ADD COLUMN recalled SMALLINT NOT NULL DEFAULT 0;

-- Who reacted to what, in the order of the message's versions; how many did, and the first, stand in message.extra.
CREATE TABLE reaction (
    conversation BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    account BIGINT NOT NULL,
    emoji TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (conversation, seq, account, emoji)
) /* clustered */;

-- Messages as they were before a change, for members who had gone by then: what came after was never visible to them.
-- until_seq: the conversation's newest message when it was changed, so that those who went at or before it see this.
CREATE TABLE former_message (
    conversation BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    until_seq BIGINT NOT NULL,
    version BIGINT NOT NULL,
    edited_at BIGINT,
    text TEXT NOT NULL,
    extra TEXT,
    PRIMARY KEY (conversation, seq, until_seq)
) /* clustered */;

-- muted: only the owner and the administrators can write.
ALTER TABLE chat_group ADD COLUMN muted SMALLINT NOT NULL DEFAULT 0;

-- `state.role`: 0 member, 1 administrator, 2 owner.
-- left_owner, left_muted: as left_name, of the group as it was when a member's period in it ended.
ALTER TABLE state ADD COLUMN left_owner BIGINT;
ALTER TABLE state ADD COLUMN left_muted SMALLINT;
UPDATE state SET
    left_owner = (SELECT g.owner FROM chat_group g WHERE g.conversation = state.conversation),
    left_muted = 0
    WHERE leave_seq IS NOT NULL AND membership <> 0;

-- Who wants to join which group and waits for a decision; decided ones have no rows here.
CREATE TABLE application (
    conversation BIGINT NOT NULL,
    account BIGINT NOT NULL,
    time BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (conversation, account)
) /* clustered */;
CREATE INDEX application_account ON application (account);

-- A group as it was when a member's period in it ended: what came after was never visible to them.
-- NULL while the period lasts. For those who had gone before there was this, as it is now.
ALTER TABLE state ADD COLUMN left_name TEXT;
ALTER TABLE state ADD COLUMN left_rule TEXT;
ALTER TABLE state ADD COLUMN left_count BIGINT;
UPDATE state SET
    left_name = (SELECT g.name FROM chat_group g WHERE g.conversation = state.conversation),
    left_rule = (SELECT g.join_rule FROM chat_group g WHERE g.conversation = state.conversation),
    left_count = (SELECT g.member_count FROM chat_group g WHERE g.conversation = state.conversation)
    WHERE leave_seq IS NOT NULL;

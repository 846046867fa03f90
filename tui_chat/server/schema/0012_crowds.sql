-- What the members of a group were told of a message, in one row, until each has it in their log; see crowdlog.py.
-- data: the members, ascending, each with where their log stood and with their numbers.
-- From here on a row in `event` without a conversation may be of several such events, the newest at its seq and time.
CREATE TABLE crowd_event (
    conversation BIGINT NOT NULL,
    message_seq BIGINT NOT NULL,
    time BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (conversation, message_seq)
) /* clustered */;

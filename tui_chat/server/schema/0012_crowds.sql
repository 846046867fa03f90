-- What the members of a group were told of a message, in one row, until each has an event of it; see crowdlog.py.
-- data: the members, ascending, each with where their log stood and with their numbers.
CREATE TABLE crowd_event (
    conversation BIGINT NOT NULL,
    message_seq BIGINT NOT NULL,
    time BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (conversation, message_seq)
) /* clustered */;

-- Keys are made by the application. Times are milliseconds since 1970. Booleans are 0 and 1.
-- clustered: rows are stored in the order of the primary key, on engines that can.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) /* clustered */;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) /* clustered */;

-- `folded` is how names are compared; a row is never removed, so that no name is ever given out again.
CREATE TABLE account (
    id BIGINT PRIMARY KEY,
    user_id TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    nick TEXT,
    nick_folded TEXT NOT NULL,
    password_hash TEXT,
    administrator SMALLINT NOT NULL,
    created BIGINT NOT NULL
) /* clustered */;
CREATE INDEX account_nick ON account (nick_folded);

-- Tokens are stored as hashes. `confirmed`: the present pair was used, so the one before it is dead.
CREATE TABLE device (
    id BIGINT PRIMARY KEY,
    device_id TEXT NOT NULL UNIQUE,
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    access_hash TEXT UNIQUE,
    access_until BIGINT NOT NULL,
    refresh_hash TEXT UNIQUE,
    refresh_until BIGINT NOT NULL,
    confirmed SMALLINT NOT NULL,
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    revoked BIGINT
) /* clustered */;
CREATE INDEX device_account ON device (account);

-- Refresh tokens that were exchanged: whoever shows one again has a copy.
CREATE TABLE spent_token (
    hash TEXT PRIMARY KEY,
    device BIGINT NOT NULL,
    exchanged_for TEXT NOT NULL,
    until BIGINT NOT NULL
) /* clustered */;
CREATE INDEX spent_token_until ON spent_token (until);
CREATE INDEX spent_token_device ON spent_token (device);
CREATE TABLE invite (hash TEXT PRIMARY KEY, account BIGINT, until BIGINT NOT NULL) /* clustered */;

-- A user's events are numbered `floor + 1` to `seq`; what is older was trimmed.
CREATE TABLE stream (account BIGINT PRIMARY KEY, seq BIGINT NOT NULL, floor BIGINT NOT NULL) /* clustered */;

-- Pointers and numbers, never a message's body. `only_device`: the one device that hears of it.
CREATE TABLE event (
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    time BIGINT NOT NULL,
    only_device BIGINT,
    conversation BIGINT,
    message_seq BIGINT,
    data TEXT NOT NULL,
    PRIMARY KEY (account, seq)
) /* clustered */;

-- kind 1: one-to-one (low and high are the accounts); 2: group (low is the row itself); 3: the system's (low: account).
-- last_count: how many of its messages count as unread where they are (tips do not).
CREATE TABLE conversation (
    id BIGINT PRIMARY KEY,
    kind SMALLINT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    last_count BIGINT NOT NULL,
    last_time BIGINT NOT NULL,
    erased_through BIGINT NOT NULL,
    UNIQUE (kind, low, high)
) /* clustered */;

-- conversation: the group's conversation, which is its key.
CREATE TABLE chat_group (
    conversation BIGINT PRIMARY KEY,
    group_id TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    join_rule TEXT NOT NULL,
    owner BIGINT NOT NULL,
    member_count BIGINT NOT NULL,
    dismissed SMALLINT NOT NULL,
    created BIGINT NOT NULL
) /* clustered */;

-- count: how many countable messages there are up to and with this one. text and extra go when nobody can see it.
-- sender 0 is the system.
CREATE TABLE message (
    conversation BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    sender BIGINT NOT NULL,
    client_id TEXT,
    time BIGINT NOT NULL,
    type SMALLINT NOT NULL,
    count BIGINT NOT NULL,
    text TEXT,
    extra TEXT,
    PRIMARY KEY (conversation, seq)
) /* clustered */;
CREATE UNIQUE INDEX message_client ON message (sender, client_id);
CREATE TABLE mention (
    account BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (account, conversation, seq)
) /* clustered */;

-- One user's side of one conversation. `folded`: its conversationID as it is compared.
-- membership 0: not a group; 1 joined, 2 left, 3 kicked, 4 dismissed. role 0 member, 2 owner.
-- join_*: the present or last period of membership; leave_* are NULL while it lasts; past: how many came before it.
-- hidden, cleared: the watermarks in effect; *_settled: their share that no undo can withdraw.
-- floor_count: `count` at max(read_seq, hidden, cleared); mention_count: unread mentions; both follow from the rest.
CREATE TABLE state (
    account BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    conversation_id TEXT NOT NULL,
    folded TEXT NOT NULL,
    peer BIGINT,
    membership SMALLINT NOT NULL,
    role SMALLINT NOT NULL,
    join_seq BIGINT NOT NULL,
    join_count BIGINT NOT NULL,
    leave_seq BIGINT,
    leave_count BIGINT,
    leave_time BIGINT,
    past SMALLINT NOT NULL,
    hidden BIGINT NOT NULL,
    cleared BIGINT NOT NULL,
    hidden_settled BIGINT NOT NULL,
    cleared_settled BIGINT NOT NULL,
    read_seq BIGINT NOT NULL,
    floor_count BIGINT NOT NULL,
    mention_count BIGINT NOT NULL,
    pinned SMALLINT NOT NULL,
    pin_version BIGINT NOT NULL,
    muted SMALLINT NOT NULL,
    marked_unread SMALLINT NOT NULL,
    PRIMARY KEY (account, conversation)
) /* clustered */;
CREATE UNIQUE INDEX state_folded ON state (account, folded);
CREATE INDEX state_conversation ON state (conversation, account);

-- Periods of membership before the present or last one, both ends inclusive; start_count counts what is before it.
CREATE TABLE past_period (
    account BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    join_seq BIGINT NOT NULL,
    join_count BIGINT NOT NULL,
    leave_seq BIGINT NOT NULL,
    leave_count BIGINT NOT NULL,
    PRIMARY KEY (account, conversation, join_seq)
) /* clustered */;

-- One act of a person: the unit of undo and of the log. status 0: can be undone until `until`; 1: undone; 2: final;
-- 3: final at a person's word, so that no more calls of it are carried out.
CREATE TABLE batch (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    batch_id TEXT NOT NULL,
    device BIGINT NOT NULL,
    time BIGINT NOT NULL,
    what SMALLINT NOT NULL,
    clear SMALLINT NOT NULL,
    count BIGINT NOT NULL,
    until BIGINT NOT NULL,
    status SMALLINT NOT NULL,
    answer TEXT,
    UNIQUE (account, batch_id)
) /* clustered */;
CREATE INDEX batch_until ON batch (status, until);

-- One call of a batch.
CREATE TABLE operation (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    operation_id TEXT NOT NULL,
    batch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    status SMALLINT NOT NULL,
    answer TEXT,
    UNIQUE (account, operation_id)
) /* clustered */;
CREATE INDEX operation_batch ON operation (batch);

-- What each live operation set; withdrawn and settled ones have no rows here.
CREATE TABLE item (
    account BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    hidden BIGINT NOT NULL,
    cleared BIGINT NOT NULL,
    unpinned SMALLINT NOT NULL,
    pin_version BIGINT NOT NULL,
    PRIMARY KEY (account, conversation, operation)
) /* clustered */;

-- First answers of changing calls, for their retries.
CREATE TABLE answered (
    account BIGINT NOT NULL,
    operation_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (account, operation_id)
) /* clustered */;
CREATE INDEX answered_time ON answered (time);

-- Conversations in which settled watermarks moved: messages there may be visible to nobody any more.
CREATE TABLE erasure (conversation BIGINT PRIMARY KEY) /* clustered */;

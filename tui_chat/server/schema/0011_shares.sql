-- What each live call set, in one row: a call is of up to a hundred conversations, and a row for each of them in a table
-- of its own took more time than moving their watermarks. Withdrawn and settled calls have no rows here.
-- part 0; of what was set before there was this table, a row for each conversation, under its key.
-- hides, clears: which of the two watermarks the call sets. pins: how many pins it took.
-- shares: JSON, [[conversations, ascending], [up to which message, of each], {conversation: pin_version, of the pins}].
CREATE TABLE share (
    account BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    part BIGINT NOT NULL,
    hides SMALLINT NOT NULL,
    clears SMALLINT NOT NULL,
    pins SMALLINT NOT NULL,
    shares TEXT NOT NULL,
    PRIMARY KEY (account, batch, operation, part)
) /* clustered */;
INSERT INTO share (account, batch, operation, part, hides, clears, pins, shares)
    SELECT i.account, o.batch, i.operation, i.conversation,
        CASE WHEN i.hidden > 0 THEN 1 ELSE 0 END,
        CASE WHEN i.cleared > 0 THEN 1 ELSE 0 END,
        i.unpinned,
        '[[' || i.conversation || '],[' || CASE WHEN i.hidden > i.cleared THEN i.hidden ELSE i.cleared END || '],{'
            || CASE WHEN i.unpinned = 1 THEN '"' || i.conversation || '":' || i.pin_version ELSE '' END || '}]'
    FROM item i JOIN operation o ON o.id = i.operation;
DROP TABLE item;

-- How many conversations a call took stands in `operation.count` once it is undone or final; until then its shares say.
-- `batch.count` is 0 from here on: SQLite drops columns only from 3.35 on.
UPDATE batch SET count = 0;

-- A batch's shares, and what is still to be made final of it, a call at a time.
CREATE INDEX item_operation ON item (operation);

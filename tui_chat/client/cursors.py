"""What is read from cursors (`epoch:eventSeq`); they are sent back as they came. Pure."""


def position_of(cursor: str | None) -> int | None:
    """The eventSeq in a cursor, None where it has another form or there is none."""
    tail = cursor.rpartition(":")[2] if cursor else ""
    return int(tail) if tail.isascii() and tail.isdigit() else None


def same_numbering(cursor: str | None, other: str | None) -> bool:
    """Whether two cursors are of one epoch: in another one the same numbers stand for something else."""
    return cursor is not None and other is not None and cursor.rpartition(":")[0] == other.rpartition(":")[0]

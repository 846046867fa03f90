"""What a device that does nothing but apply what it hears comes to: as little as can be held against a snapshot.

Written for the checker and from the protocol alone, not with the client's own reducer: an error there must not hide
one of the server's.
"""

from dataclasses import dataclass, replace

from .records import Heard, Json


@dataclass(frozen=True)
class Row:
    """A conversation, listed or not, as far as events tell of it."""

    newest: int = 0
    hidden: int = 0
    cleared: int = 0
    read: int = 0
    counts: tuple[int, int] | None = None
    """messageCount and unreadCount; None where the events leave them open."""

    @property
    def listed(self) -> bool:
        """Whether it has a place in the list."""
        return self.newest > self.hidden

    @classmethod
    def of(cls, said: Json) -> "Row":
        """As the server has it."""
        return cls(
            newest=said["newestSeq"],
            hidden=said["hiddenThrough"],
            cleared=said["clearedThrough"],
            read=said["readSeq"],
            counts=(said["messageCount"], said["unreadCount"]),
        )

    def agrees(self, said: Json) -> bool:
        """Whether the server has it so; what events leave open is not compared."""
        true = Row.of(said)
        return replace(true, counts=self.counts and true.counts) == self


class Replica:
    """A device's rows, and the messages that it was shown although it knew that they were cleared."""

    def __init__(self) -> None:
        self.position = 0
        self.rows: dict[str, Row] = {}
        self.risen: list[str] = []
        """One line each."""

    def hear(self, heard: Heard) -> None:
        """Apply a range by the rule: the next one is applied, an old one ignored, one over a gap waits for a sync."""
        if heard.first > self.position + 1 or heard.last <= self.position:
            return
        for event in heard.events:
            if event["eventSeq"] > self.position:
                self._apply(event)
        self.position = heard.last

    def _apply(self, event: Json) -> None:
        match event["kind"]:
            case "message.new" | "message.changed":
                message, said = event["message"], event["conversation"]
                name = message["conversationID"]
                if message["messageSeq"] <= self.rows.get(name, Row()).cleared:
                    self.risen.append(f"event {event['eventSeq']} shows {message['messageSeq']} of {name}")
                self._told(said)
            case "conversation.deleted" | "conversation.cleared":
                for item in event["items"]:
                    self._marked(item)
            case "conversation.restored":
                for said in event["conversations"]:
                    self.rows[said["conversationID"]] = Row.of(said)
            case "conversation.changed":
                for said in event["conversations"]:
                    self._told(said)
            case "conversation.read":
                for item in event["items"]:
                    self._read(item)
            case _:
                if event.get("conversation") is not None:
                    self._told(event["conversation"])

    def _told(self, said: Json) -> None:
        """How a conversation stands; watermarks only ever go forward by that."""
        old, new = self.rows.get(said["conversationID"], Row()), Row.of(said)
        hidden, cleared = max(old.hidden, new.hidden), max(old.cleared, new.cleared)
        moved = (hidden, cleared) != (new.hidden, new.cleared)
        self.rows[said["conversationID"]] = replace(
            new, hidden=hidden, cleared=cleared, counts=None if moved else new.counts
        )

    def _marked(self, item: Json) -> None:
        old = self.rows.get(item["conversationID"], Row())
        self.rows[item["conversationID"]] = replace(
            old,
            hidden=max(old.hidden, item["hiddenThrough"]),
            cleared=max(old.cleared, item["clearedThrough"]),
            counts=None,
        )

    def _read(self, item: Json) -> None:
        old = self.rows.get(item["conversationID"], Row())
        counts = old.counts and (old.counts[0], item["unreadCount"])
        self.rows[item["conversationID"]] = replace(old, read=max(old.read, item["readSeq"]), counts=counts)

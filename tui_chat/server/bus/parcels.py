"""What travels between processes: as much as there is at a time in one parcel, JSON, cut to what a bus can carry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from . import Announcement, Ears

ENVELOPE_BYTES: Final = 64
"""Room for what stands around the pieces."""

_encode = msgspec.json.Encoder().encode


class Tell(NamedTuple):
    """An ephemeral frame for some users."""

    users: Sequence[int]
    frame: msgspec.Raw


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """Everything at once. `process` is who sent it."""

    process: str
    wakes: list[tuple[int, int]] = []
    tells: list[tuple[list[int], msgspec.Raw]] = []
    announcements: list[Announcement] = []


_DECODER: Final = msgspec.json.Decoder(Parcel)


class Outgoing:
    """What is to be sent; of a user's wake-ups only the latest counts."""

    def __init__(self) -> None:
        self.wakes: dict[int, int] = {}
        self.tells: list[Tell] = []
        self.announcements: list[Announcement] = []

    def __bool__(self) -> bool:
        return bool(self.wakes or self.tells or self.announcements)

    def wake(self, positions: Mapping[int, int]) -> None:
        """Add wake-ups; what is later in time is further in the log, but for commits that overtake each other."""
        for user, event_seq in positions.items():
            if self.wakes.get(user, 0) < event_seq:
                self.wakes[user] = event_seq

    def take(self) -> "Outgoing":
        """Everything so far; nothing of it stays here."""
        taken = Outgoing()
        taken.wakes, self.wakes = self.wakes, {}
        taken.tells, self.tells = self.tells, []
        taken.announcements, self.announcements = self.announcements, []
        return taken

    def parcels(self, process: str, most: int) -> Iterator[bytes]:
        """All of it in parcels of at most so many bytes; a single piece that is larger travels alone."""
        pieces: list[tuple[int, object]] = [
            *((len(_encode(one)) + 1, one) for one in self.announcements),
            *((len(_encode(one)) + 1, one) for one in self.tells),
            *((len(str(user)) + len(str(seq)) + 4, (user, seq)) for user, seq in self.wakes.items()),
        ]
        held: list[object] = []
        size = ENVELOPE_BYTES
        for length, piece in pieces:
            if held and size + length > most:
                yield _parcel(process, held)
                held, size = [], ENVELOPE_BYTES
            held.append(piece)
            size += length
        if held:
            yield _parcel(process, held)

    def parcel(self, process: str) -> bytes:
        """All of it in one parcel, also where it is nothing."""
        return _parcel(process, [*self.announcements, *self.tells, *self.wakes.items()])


def _parcel(process: str, pieces: Sequence[object]) -> bytes:
    wakes: list[object] = []
    tells: list[object] = []
    announcements: list[object] = []
    for piece in pieces:
        kind = tells if isinstance(piece, Tell) else wakes if isinstance(piece, tuple) else announcements
        kind.append(piece)
    return _encode((process, wakes, tells, announcements))


def unpack(data: bytes | str) -> Parcel:
    """The parcel again. Raises msgspec.DecodeError."""
    return _DECODER.decode(data)


def hand_out(parcel: Parcel, ears: Ears) -> None:
    """Let what is in it be heard."""
    for what in parcel.announcements:
        ears.announced(parcel.process, what)
    for users, frame in parcel.tells:
        ears.told(users, bytes(frame))
    if parcel.wakes:
        ears.woken(dict(parcel.wakes))

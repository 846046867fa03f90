"""What the dialog before a deletion says: facts in, lines out. Only true lines, with real counts."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec
from textual.content import Content

from tui_chat.client.capabilities import Capabilities
from tui_chat.locale import _, ngettext
from tui_chat.locale.durations import duration
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Membership, ServerFacts
from tui_chat.tui import safe
from tui_chat.tui.commands.registry import KeyOf, own_key
from tui_chat.tui.render.rows import conversation_name

NAMES_MOST: Final = 12
"""Names in the dialog; the rest is a number."""
TYPED_ABOVE: Final = 1_000
"""From more than so many conversations on, the count must be typed."""


class DeleteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the conversations that are to go."""

    names: tuple[safe.Safe, ...]
    """Names of the first few."""
    count: int
    messages: int = 0
    """Visible messages in all of them."""
    pinned: int = 0
    mentions: int = 0
    drafts: int = 0
    unsent: int = 0
    """Own messages that wait in the queue and would never be sent."""
    member_count: int = 0
    """Groups among them that one is and stays a member of."""
    groups: tuple[safe.Safe, ...] = ()
    """The names of the first two of these."""
    shared: bool = True
    """Somebody else has these messages, too (the system's notices are nobody else's)."""
    can_return: bool = True
    """A new message can bring at least one back (not so for groups that one has left)."""
    synced: bool = False
    can_clear: bool = True
    """The history of one's own account can be erased with the rows."""
    undo_seconds: int = 0
    connected: bool = True
    """Without a connection the rows are hidden, and the rest waits."""
    everything: bool = False
    """No row would be left."""
    arrived: int = 0
    """Messages that came in after the question: they stay."""

    @property
    def must_type(self) -> bool:
        """Whether the count has to be typed. The last single row needs no more than `y`."""
        return self.count > TYPED_ABOVE or (self.everything and self.count > 1)


class DeleteLines(msgspec.Struct, frozen=True, kw_only=True):
    """The dialog's words, ready to be shown; None where there is nothing true to say."""

    title: Content
    names: Content
    switch: Content | None
    consequences: tuple[Content, ...]
    among: Content | None
    member: Content | None
    waits: Content | None
    devices: Content
    undo: Content
    cancel: Content
    confirm: Content
    confirm_briefly: Content
    """The same for a narrow button: on a low screen it alone tells how the switch stands."""
    type_count: Content | None
    arrived: Content | None
    not_typed: Content


def gather(
    conversations: Iterable[Conversation],
    *,
    seen: Mapping[str, Conversation],
    listed: int,
    drafts: Collection[str],
    unsent: Mapping[str, int],
    server: ServerFacts,
    capabilities: Capabilities,
    connected: bool = True,
) -> DeleteFacts:
    """The facts of these conversations as they were `seen`; `listed` is how many rows there are at all."""
    chosen = list(conversations)
    newer = {one.conversation_id: _newer(one, seen.get(one.conversation_id, one)) for one in chosen}
    member_of = [one for one in chosen if one.type is ConversationType.GROUP and one.membership is Membership.JOINED]
    return DeleteFacts(
        names=tuple(conversation_name(one) for one in chosen[:NAMES_MOST]),
        count=len(chosen),
        messages=sum(one.message_count - newer[one.conversation_id] for one in chosen),
        pinned=sum(one.pinned for one in chosen),
        mentions=sum(min(one.mention_count, seen.get(one.conversation_id, one).mention_count) for one in chosen),
        drafts=sum(one.conversation_id in drafts for one in chosen),
        unsent=sum(unsent.get(one.conversation_id, 0) for one in chosen),
        member_count=len(member_of),
        groups=tuple(conversation_name(one) for one in member_of[:2]),
        shared=any(one.type is not ConversationType.SYSTEM for one in chosen),
        can_return=any(one.type is not ConversationType.GROUP for one in chosen) or bool(member_of),
        synced=capabilities.syncs_deletions,
        can_clear=capabilities.clears_own_history,
        undo_seconds=server.undo_seconds if capabilities.undoes_deletions else 0,
        connected=connected,
        everything=len(chosen) >= listed,
        arrived=sum(newer.values()),
    )


def _newer(now: Conversation, seen: Conversation) -> int:
    """How many of its visible messages came after it was seen."""
    return min(max(0, now.newest_seq - seen.newest_seq), now.message_count)


def lines(facts: DeleteFacts, *, clear_history: bool, key: KeyOf = own_key) -> DeleteLines:
    """The dialog's words with the switch as it stands, and with these keys."""
    return DeleteLines(
        title=safe.template(
            ngettext("Delete {count} conversation?", "Delete {count} conversations?", facts.count),
            count=safe.number(facts.count),
        ),
        names=_names(facts),
        switch=safe.template(
            _("[x] Clear history ({key})") if clear_history else _("[ ] Clear history ({key})"), key=key("toggle-clear")
        )
        if facts.can_clear
        else None,
        consequences=_cleared(facts) if clear_history else _kept(facts),
        among=_among(facts),
        member=_member(facts),
        waits=None if facts.connected else Content(_("No connection: hidden here now, deleted once connected.")),
        devices=_devices(facts),
        undo=_undo(facts),
        cancel=Content(_("Cancel")),
        confirm=Content(_("Delete and clear") if clear_history else _("Delete, keep history")),
        confirm_briefly=Content(_("Delete, clear") if clear_history else _("Delete, keep")),
        type_count=safe.template(_("Type {count}, then {key}."), count=str(facts.count), key=key("confirm"))
        if facts.must_type
        else None,
        arrived=safe.template(
            ngettext(
                "{count} message came in meanwhile: it stays, and so does its row.",
                "{count} messages came in meanwhile: they stay, and so do their rows.",
                facts.arrived,
            ),
            count=safe.number(facts.arrived),
        )
        if facts.arrived
        else None,
        not_typed=safe.template(_("{count} is not typed yet."), count=str(facts.count)),
    )


def _devices(facts: DeleteFacts) -> Content:
    if not facts.synced:
        return Content(_("Your other devices keep their rows and copies (this server does not sync deletions)."))
    if not facts.connected:
        return Content(_("Your other devices: removed there too, but only then."))
    return Content(_("Your other devices: removed there too."))


def _undo(facts: DeleteFacts) -> Content:
    time = duration(facts.undo_seconds)
    if not facts.connected:
        if facts.undo_seconds:
            return safe.template(_("You can undo until then, and for {time} after; then it is final."), time=time)
        return Content(_("You can undo until then; after that it is final: this server undoes nothing."))
    if facts.undo_seconds:
        return safe.template(_("You can undo for {time}; then it is final."), time=time)
    return Content(_("It is final at once: this server undoes nothing."))


def gone_elsewhere(count: int, device: str, left: int) -> Content:
    """That another device was faster with some of them."""
    return safe.template(
        ngettext(
            "{count} was just deleted on {device} · {left} left",
            "{count} were just deleted on {device} · {left} left",
            count,
        ),
        count=safe.number(count),
        device=device,
        left=safe.number(left),
    )


def _names(facts: DeleteFacts) -> Content:
    shown = Content(" · ").join(safe.one_line(name) for name in facts.names)
    more = facts.count - len(facts.names)
    if more <= 0:
        return shown
    return shown + safe.template(ngettext(" · {count} more", " · {count} more", more), count=safe.number(more))


def _cleared(facts: DeleteFacts) -> tuple[Content, ...]:
    if facts.messages == 0:
        first = Content(_("There are no messages to erase."))
    else:
        first = safe.template(
            ngettext(
                "{count} message is erased from your account. The others keep theirs.",
                "{count} messages are erased from your account. The others keep theirs.",
                facts.messages,
            )
            if facts.shared
            else ngettext(
                "{count} message is erased from your account.",
                "{count} messages are erased from your account.",
                facts.messages,
            ),
            count=safe.number(facts.messages),
        )
    if not facts.can_return or facts.messages == 0:
        return (first,)
    return first, Content(_("A new message brings a conversation back without them."))


def _kept(facts: DeleteFacts) -> tuple[Content, ...]:
    if not facts.can_return:
        return (Content(_("Only the rows go. The messages stay on the server.")),)
    if facts.messages == 0:
        return (Content(_("Only the rows go. A new message brings them back.")),)
    return (
        safe.template(
            ngettext(
                "Only the rows go. A new message brings them back with all {count} message.",
                "Only the rows go. A new message brings them back with all {count} messages.",
                facts.messages,
            )
            if facts.count > 1
            else ngettext(
                "Only the row goes. A new message brings it back with its {count} message.",
                "Only the row goes. A new message brings it back with all {count} messages.",
                facts.messages,
            ),
            count=safe.number(facts.messages),
        ),
    )


def _among(facts: DeleteFacts) -> Content | None:
    parts = [
        text.format(count=safe.number(count))
        for count, text in (
            (facts.pinned, ngettext("{count} pinned", "{count} pinned", facts.pinned)),
            (facts.mentions, ngettext("{count} unread mention", "{count} unread mentions", facts.mentions)),
            (facts.drafts, ngettext("{count} draft", "{count} drafts", facts.drafts)),
            (facts.unsent, ngettext("{count} unsent message", "{count} unsent messages", facts.unsent)),
        )
        if count
    ]
    return safe.template(_("Among them: {parts}."), parts=_(", ").join(parts)) if parts else None


def _member(facts: DeleteFacts) -> Content | None:
    if facts.member_count == 0:
        return None
    if facts.member_count == 1:
        return safe.template(_("You stay a member of {name}."), name=facts.groups[0])
    if facts.member_count == 2:
        first, second = facts.groups
        return safe.template(_("You stay a member of {name} and {other}."), name=first, other=second)
    return safe.template(_("You stay a member of all {count} groups."), count=safe.number(facts.member_count))

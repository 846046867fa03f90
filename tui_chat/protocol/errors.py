"""Error codes and their exceptions: one table, used by the server to answer and by the client to raise.

The code is for programs and is what clients translate by; the message is English. Tencent's number stands where it
has one (https://trtc.io/document/34348).
"""

from typing import Any, ClassVar

from .wire import Wire


class ErrorBody(Wire, frozen=True, kw_only=True):
    """What stands under `error` in a refusing answer, and in a deletion's `failures`."""

    code: str
    message: str
    details: dict[str, Any] = {}


class ErrorAnswer(Wire, frozen=True, kw_only=True):
    """The whole body of a refusing answer."""

    error: ErrorBody


class ChatError(Exception):
    """Something was refused. `str()` is one line that says what happened and what to do."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    tencent: ClassVar[int | None] = None

    def __init__(self, message: str = "", *, details: dict[str, Any] | None = None, retry_after: float | None = None):
        super().__init__(message or (type(self).__doc__ or self.code).splitlines()[0])
        self.details: dict[str, Any] = details or {}
        self.retry_after = retry_after
        """Seconds after which the same call may succeed, where the server said so."""

    def body(self) -> ErrorBody:
        """The wire form."""
        numbered = {"tencent": self.tencent} if self.tencent is not None else {}
        return ErrorBody(code=self.code, message=str(self), details=numbered | self.details)


class Internal(ChatError):
    """The server failed; its log says why. Try again."""


class InvalidRequest(ChatError):
    """The request has not the right shape."""

    code, status, tencent = "invalid_request", 400, 6017


class InvalidName(InvalidRequest):
    """That name has not the right form."""

    code = "invalid_name"


class InvalidConversation(InvalidRequest):
    """That is no conversationID."""

    code, tencent = "invalid_conversation", 2503


class TooManyConversations(InvalidRequest):
    """A call takes at most 100 conversations; nothing was changed."""

    code, tencent = "too_many_conversations", 51006


class TextEmpty(InvalidRequest):
    """Nothing is left to send once control characters are removed."""

    code = "text_empty"


class TextTooLong(InvalidRequest):
    """The text is too long; it was not sent."""

    code, status, tencent = "text_too_long", 413, 8001


class InvalidEmoji(InvalidRequest):
    """That is not one emoji."""

    code = "invalid_emoji"


class BodyTooLarge(InvalidRequest):
    """The request is too large."""

    code, status, tencent = "body_too_large", 413, 93000


class Unauthorized(ChatError):
    """Not signed in, or the token is no longer valid: log in again."""

    code, status, tencent = "unauthorized", 401, 6206


class WrongPassword(Unauthorized):
    """Unknown user or wrong password."""

    code, tencent = "wrong_password", 70001


class RegistrationClosed(ChatError):
    """Registration is by invitation here: ask an administrator for one."""

    code, status = "registration_closed", 403


class Forbidden(ChatError):
    """That is not yours to do."""

    code, status, tencent = "forbidden", 403, 10007


class NotYourMessage(Forbidden):
    """Only who sent a message can do that."""

    code = "not_your_message"


class NotChangeable(Forbidden):
    """Tips and notices stay as they are."""

    code, tencent = "not_changeable", 2905


class AdministratorOnly(Forbidden):
    """Only an administrator can do that."""

    code, tencent = "administrator_only", 50003


class ReadOnly(Forbidden):
    """Nobody can write to the system's conversation."""

    code, tencent = "read_only", 2905


class NotAMember(Forbidden):
    """You are not a member of that group."""

    code, tencent = "not_a_member", 20012


class GroupMuted(Forbidden):
    """The group is muted: only its owner and administrators can write."""

    code, tencent = "group_muted", 10017


class Blocked(Forbidden):
    """That user does not take messages from you."""

    code, tencent = "blocked", 20007


class PasswordMismatch(Forbidden):
    """That is not your password; nothing was changed."""

    code = "password_mismatch"


class LastAdministrator(Forbidden):
    """The server would be left without an administrator: make somebody else one first."""

    code = "last_administrator"


class OwnerCannotQuit(Forbidden):
    """A group's owner cannot quit: transfer or dismiss it first."""

    code, tencent = "owner_cannot_quit", 10009


class NotFound(ChatError):
    """There is no such thing."""

    code, status = "not_found", 404


class ConversationNotFound(NotFound):
    """You have no such conversation."""

    code, tencent = "conversation_not_found", 2500


class UserNotFound(NotFound):
    """There is no user of that name."""

    code, tencent = "user_not_found", 50001


class UserErased(UserNotFound):
    """That account was erased: what was said stays readable, nothing can be sent any more."""

    code = "user_erased"


class GroupNotFound(NotFound):
    """There is no group of that name."""

    code, tencent = "group_not_found", 10010


class MessageNotFound(NotFound):
    """There is no such message."""

    code, tencent = "message_not_found", 10030


class ApplicationNotFound(NotFound):
    """There is no such application: it was decided, or never made."""

    code = "application_not_found"


class OperationNotFound(NotFound):
    """There is no such deletion to undo."""

    code = "operation_not_found"


class DeviceNotFound(NotFound):
    """There is no such device."""

    code = "device_not_found"


class MethodNotAllowed(ChatError):
    """That address does not take this method."""

    code, status = "method_not_allowed", 405


class NameTaken(ChatError):
    """That name is taken."""

    code, status, tencent = "name_taken", 409, 10021


class ClientIDReused(ChatError):
    """That clientID stands for another message already."""

    code, status = "client_id_reused", 409


class OperationReused(ChatError):
    """That operationID stands for another call already."""

    code, status = "operation_reused", 409


class BatchUndone(ChatError):
    """That batch was undone; what is left of it is not carried out."""

    code, status = "batch_undone", 409


class ServerRestored(ChatError):
    """The server was restored from a backup meanwhile: look again, then repeat it."""

    code, status = "server_restored", 409


class BackupRunning(ChatError):
    """Another backup is being written; wait for its end."""

    code, status = "backup_running", 409


class UndoExpired(ChatError):
    """It is too late to undo that: the deletion is final."""

    code, status = "undo_expired", 410


class RecallExpired(ChatError):
    """It is too late to recall that message."""

    code, status, tencent = "recall_expired", 410, 20016


class MessageRecalled(ChatError):
    """That message was recalled."""

    code, status = "message_recalled", 410


class TooManyReactions(ChatError):
    """That message has as many different reactions as it can have."""

    code, status, tencent = "too_many_reactions", 409, 23005


class TooManyReaders(ChatError):
    """The group is too large to say who has read a message."""

    code, status = "too_many_readers", 409


class TooManyPins(ChatError):
    """No more conversations can be pinned."""

    code, status, tencent = "too_many_pins", 409, 51007


class TooManyBlocks(ChatError):
    """No more users can be blocked."""

    code, status = "too_many_blocks", 409


class TooManyMembers(ChatError):
    """The group is full."""

    code, status, tencent = "too_many_members", 409, 10014


class TooManyAdministrators(ChatError):
    """The group has as many administrators as it can have."""

    code, status = "too_many_administrators", 409


class TooFrequent(ChatError):
    """Too many requests: wait a little."""

    code, status, tencent = "too_frequent", 429, 2996


class Unavailable(ChatError):
    """The server cannot answer just now: try again."""

    code, status = "unavailable", 503


class StorageFull(Unavailable):
    """The server's disk is full; nothing was changed."""

    code, status = "storage_full", 507


class NotConnected(ChatError):
    """The server cannot be reached."""

    code, status, tencent = "not_connected", 503, 2805


class Unexpected(ChatError):
    """The server answered in a way this client does not understand."""

    code, status = "unexpected", 502


def _family(root: type[ChatError]) -> list[type[ChatError]]:
    return [root] + [kind for child in root.__subclasses__() for kind in _family(child)]


ERRORS: dict[str, type[ChatError]] = {kind.code: kind for kind in _family(ChatError) if kind is not ChatError}
"""code -> exception, of every class above."""


def error_from(body: ErrorBody, *, retry_after: float | None = None) -> ChatError:
    """The exception that an answer stands for; a code from a newer server becomes Unexpected with its message."""
    kind = ERRORS.get(body.code, Unexpected)
    return kind(body.message, details=body.details, retry_after=retry_after)

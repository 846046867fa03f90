"""Bodies of requests about accounts, their devices, and people."""

from tui_chat.protocol.models import BlockedUser, Device, ServerFacts, User
from tui_chat.protocol.wire import Request, Wire


class Credentials(Request, frozen=True, kw_only=True):
    """POST /v1/register and /v1/login."""

    user_id: str
    password: str
    device_name: str
    nick: str | None = None
    invite: str | None = None


class Session(Wire, frozen=True, kw_only=True):
    """The answer to a log-in: tokens of one device. `expires_in` is the access token's life in seconds."""

    user_id: str
    device_id: str
    access_token: str
    refresh_token: str
    expires_in: int


class RefreshToken(Request, frozen=True, kw_only=True):
    """POST /v1/token/refresh; answers a Session."""

    refresh_token: str


class Me(Wire, frozen=True, kw_only=True):
    """GET /v1/me."""

    user_id: str
    device_id: str
    device_name: str
    nick: str | None = None
    administrator: bool = False
    server: ServerFacts


class ChangeMe(Request, frozen=True, kw_only=True):
    """PATCH /v1/me; null takes the nick away. Answers Me."""

    nick: str | None


class ChangePassword(Request, frozen=True, kw_only=True):
    """POST /v1/password. The account's other devices are logged out, unless `keep_devices`."""

    old_password: str
    new_password: str
    keep_devices: bool = False


class PasswordChanged(Wire, frozen=True, kw_only=True):
    """The answer to a change of password: how many other devices were logged out."""

    devices_revoked: int = 0
    event_seq: int = 0


class EraseAccount(Request, frozen=True, kw_only=True):
    """DELETE /v1/me; for good."""

    password: str


class BlockList(Wire, frozen=True, kw_only=True):
    """GET /v1/blocks: whom one has blocked, the newest first."""

    blocks: list[BlockedUser]


class DeviceList(Wire, frozen=True, kw_only=True):
    """GET /v1/devices."""

    devices: list[Device]


class UserList(Wire, frozen=True, kw_only=True):
    """GET /v1/users?q=."""

    users: list[User]

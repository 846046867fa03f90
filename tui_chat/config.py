"""Where things lie, what the settings file says, and which accounts are stored.

Directories follow the XDG rules (platformdirs): settings in the config directory, accounts and their tokens in the data
directory, conversations kept for offline reading in the cache directory, a server's database in the data directory.
Everything is made for its owner alone (directories 0700, files 0600).
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
import msgspec.inspect
import platformdirs

from tui_chat.files import private_directory, write_private
from tui_chat.locale import _
from tui_chat.protocol.wire import decode, encode
from tui_chat.settings_faults import allowed, in_words, line_of, nearest, place_of, settings_of

_APPLICATION: Final = "tui-chat"
_PROFILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", re.ASCII)

DEFAULT_PROFILE: Final = "default"
_VARIABLE: Final = "TUI_CHAT_"
_OTHER_VARIABLES: Final = ("TUI_CHAT_CONFIG", "TUI_CHAT_PASSWORD", "TUI_CHAT_NEW_PASSWORD")
"""What the environment says beside the settings of `serve`."""


class ConfigError(Exception):
    """The settings file or a profile cannot be used; `str()` is one line that names file, line and mend."""


class Paths(msgspec.Struct, frozen=True):
    """The directories of one user of this machine."""

    config: Path
    data: Path
    cache: Path
    state: Path

    @classmethod
    def of_user(cls) -> "Paths":
        """Where the platform, or the XDG variables, put them."""
        return cls(
            config=Path(platformdirs.user_config_dir(_APPLICATION)),
            data=Path(platformdirs.user_data_dir(_APPLICATION)),
            cache=Path(platformdirs.user_cache_dir(_APPLICATION)),
            state=Path(platformdirs.user_state_dir(_APPLICATION)),
        )

    @property
    def settings_file(self) -> Path:
        """The TOML file that a person edits."""
        return self.config / "settings.toml"

    @property
    def server_data(self) -> Path:
        """Where `tui-chat serve` keeps its database unless told otherwise."""
        return self.data / "server"

    @property
    def demo_data(self) -> Path:
        """Where `tui-chat demo` keeps its server and caches."""
        return self.data / "demo"

    def account_cache(self, server_url: str, user_id: str) -> Path:
        """The cache directory of one account: named by a digest, since a URL is no file name."""
        name = sha256(f"{server_url.rstrip('/')}\n{user_id.lower()}".encode()).hexdigest()[:24]
        return self.cache / "accounts" / name


class DeleteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[delete]`"""

    clear_history: bool = True
    """How the switch in the confirm dialog starts; on, as the service documents its default."""


class HistorySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[history]`"""

    keep: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 5_000
    """Messages of each conversation that this machine keeps, the newest; older ones are asked of the server."""


class ScreenSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[screen]`"""

    symbols: Literal["auto", "unicode", "ascii"] = "auto"
    """auto: ASCII where the terminal's encoding has no other."""
    theme: str = "dark"
    """dark, light, high-contrast, ansi (the terminal's own colours), or the name of one of Textual's."""
    mouse: bool = True


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[notify]`: what tells of new messages while the terminal has not the focus."""

    desktop: bool = False
    """Desktop notifications, by the terminal (OSC 9, or 777)."""
    body: bool = False
    """They say what was written; otherwise who wrote."""
    bell: bool = False
    """The terminal's bell."""


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[server]`: how `tui-chat serve` runs. None: not said there.

    Each can be said as an option of the command (`--tls-cert`), in the environment (`TUI_CHAT_TLS_CERT`) and in the
    file (`tls_cert`), and counts in this order. Paths in the file are relative to the file.
    """

    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    data: str | None = None
    database: str | None = None
    bus: str | None = None
    workers: Annotated[int, msgspec.Meta(ge=1)] | None = None
    public_url: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    trusted_proxy: list[str] | None = None
    origin: list[str] | None = None
    insecure: bool | None = None
    sync_deletions: Literal["on", "off"] | None = None
    backups: str | None = None
    metrics_token_file: str | None = None
    log_format: Literal["text", "json"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    access_log: bool | None = None

    PATHS: ClassVar[tuple[str, ...]] = ("data", "tls_cert", "tls_key", "backups", "metrics_token_file")

    def over(self, other: "ServerSettings") -> "ServerSettings":
        """These, and where they say nothing, the other's."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not None}
        return msgspec.structs.replace(other, **said)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "ServerSettings":
        """What TUI_CHAT_HOST and its like say; lists are separated by commas.

        Raises:
            ConfigError: a value of the wrong kind; its variable is named.
        """
        lists = ("trusted_proxy", "origin")
        found: dict[str, Any] = {}
        for field in cls.__struct_fields__:
            name = _variable(field)
            value = environment.get(name)
            if not value:
                continue
            split = [one.strip() for one in value.split(",") if one.strip()]
            try:
                found[field] = getattr(
                    msgspec.convert({field: split if field in lists else value}, cls, strict=False), field
                )
            except msgspec.ValidationError as error:
                takes = allowed(settings_of(msgspec.inspect.type_info(cls))[field], quoted=False)
                said = _("{name} is {value}: it takes {allowed}")
                raise ConfigError(said.format(name=name, value=repr(value[:80]), allowed=takes)) from error
        return cls(**found)


def _variable(field: str) -> str:
    return f"{_VARIABLE}{field.upper()}"


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """The names in the environment that look like ours and say nothing to anybody; each with the one that is most like
    it, where there is one."""
    known = (*map(_variable, ServerSettings.__struct_fields__), *_OTHER_VARIABLES)
    ours = sorted(name for name in environment if name.upper().startswith(_VARIABLE) and name not in known)
    return {name: nearest(name.upper(), known) for name in ours}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings file. What is not in it has the value that stands here."""

    language: str | None = None
    """`en` or `zh_CN`; without it the locale decides."""
    device_name: str | None = None
    delete: DeleteSettings = DeleteSettings()
    history: HistorySettings = HistorySettings()
    screen: ScreenSettings = ScreenSettings()
    notify: NotifySettings = NotifySettings()
    keys: dict[str, Any] = {}
    """`[keys]`: keys by command, such as delete = ["d", "delete"]; checked by the screen, which knows the commands."""
    server: ServerSettings = ServerSettings()


def read_settings(path: Path, *, must_exist: bool = False) -> Settings:
    """The settings in the file; the defaults where there is no file, unless it `must_exist`.

    Raises:
        ConfigError: not TOML, an unknown name, or a value of the wrong kind; file and line are named.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        if must_exist:
            raise ConfigError(f"{path}: {_('there is no such file')}") from error
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, _("cannot be read ({error})").format(error=error)) from error
    import tomllib

    try:
        return settings_from(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as error:
        raise unreadable(path, _("this is no TOML: {error}").format(error=error)) from error
    except msgspec.ValidationError as error:
        line = line_of(text, place_of(str(error)))
        where = "" if line is None else _(", line {line}").format(line=line)
        raise ConfigError(f"{path}{where}: {in_words(error, tomllib.loads(text), Settings)}") from error


def unreadable(path: Path, found: str) -> ConfigError:
    """A file from which no setting can be taken."""
    return ConfigError(f"{path}: {found}{mending()}")


def mending() -> str:
    """How the line about a file ends that cannot be read."""
    return _("; mend or remove it")


def settings_from(content: dict[str, Any], path: Path) -> Settings:
    """The settings in what was read from a file; its paths are relative to the file. Raises msgspec.ValidationError."""
    settings = msgspec.convert(content, Settings)
    paths = {
        name: str(path.parent.absolute() / Path(said).expanduser())
        for name in ServerSettings.PATHS
        if (said := getattr(settings.server, name)) is not None
    }
    return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **paths))


class SecretFile:
    """A file with one account's tokens, shared by all processes of its user.

    Whoever renews a rotating token must hold `locked()` and read again first: two that renew the same one log the user
    out.
    """

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> dict[str, Any] | None:
        """What is stored; None where nothing is. Raises ConfigError where the file is damaged."""
        try:
            return decode(self.path.read_bytes(), dict[str, Any])
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            said = _("cannot be read ({error}); log in again with `tui-chat login`").format(error=error)
            raise ConfigError(f"{self.path}: {said}") from error

    def write(self, secret: dict[str, Any]) -> None:
        """Store it in one step."""
        write_private(self.path, encode(secret))

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file against the other processes of this user; waits for who holds it (a renewal, a second)."""
        private_directory(self.path.parent)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class Profiles:
    """The stored accounts: one file each, the newest used one remembered."""

    def __init__(self, paths: Paths):
        self._directory = paths.data / "accounts"
        self._last = paths.state / "last-profile"

    def file(self, profile: str) -> SecretFile:
        """The tokens of a profile. Raises ConfigError where that is no name for one."""
        if not _PROFILE.fullmatch(profile):
            said = _("{name!r} is no profile name: letters, digits, _ . - (at most 64)")
            raise ConfigError(said.format(name=profile[:80]))
        return SecretFile(self._directory / f"{profile}.json")

    def names(self) -> list[str]:
        """Every stored profile."""
        return sorted(path.stem for path in self._directory.glob("*.json"))

    def last(self) -> str:
        """The profile that was opened last; of the others, where that one is gone, the one whose tokens are newest."""
        names = self.names()
        name = self._written()
        if name in names:
            return name
        return max(names, key=lambda one: (self._directory / f"{one}.json").stat().st_mtime, default=DEFAULT_PROFILE)

    def remember(self, profile: str) -> None:
        """Make this the one that `tui-chat` opens next time. Where that cannot be written, `last` does without."""
        if self._written() != profile:
            with suppress(OSError):
                write_private(self._last, profile.encode())

    def _written(self) -> str:
        try:
            return self._last.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

"""Where a server's settings come from, and which counts."""

import argparse
from pathlib import Path

import pytest

from tui_chat.cli.parser import build_parser
from tui_chat.cli.serve import options_of, server_settings
from tui_chat.config import ConfigError, ServerSettings, read_settings
from tui_chat.server.options import ServerOptions

DEPLOY = Path(__file__).parents[2] / "assets" / "deploy"


def parsed(*words: str) -> argparse.Namespace:
    return build_parser().parse_args(["serve", *words])


def options(tmp_path: Path, file: str, environment: dict[str, str], *words: str) -> ServerOptions:
    path = tmp_path / "chat.toml"
    path.write_text(file)
    return options_of(server_settings(parsed("--config", str(path), *words), environment))


def test_an_option_counts_more_than_the_environment_and_that_more_than_the_file(tmp_path: Path) -> None:
    file = '[server]\nhost = "::1"\nport = 1\npublic_url = "https://file"\norigin = ["https://a"]\n'
    environment = {
        "TUI_CHAT_PORT": "2",
        "TUI_CHAT_PUBLIC_URL": "https://env",
        "TUI_CHAT_ORIGIN": "https://b, https://c",
    }
    found = options(tmp_path, file, environment, "--public-url", "https://option")
    assert (found.host, found.port, found.public_url) == ("::1", 2, "https://option")
    assert found.origins == ("https://b", "https://c")


def test_without_any_it_is_as_it_always_was(tmp_path: Path) -> None:
    found = options(tmp_path, "", {})
    assert (found.host, found.port, found.insecure, found.access_log) == ("127.0.0.1", 8790, False, False)


def test_every_setting_can_be_said_in_all_three(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    said: dict[str, str] = {
        "host": "127.0.0.2",
        "port": "8791",
        "data": str(tmp_path / "d"),
        "public_url": "https://x",
        "tls_cert": str(tmp_path / "c"),
        "tls_key": str(tmp_path / "k"),
        "trusted_proxy": "10.0.0.1",
        "origin": "https://o",
        "insecure": "true",
        "sync_deletions": "on",
        "database": "postgresql://here/chat",
        "bus": "nats://one:4222,nats://two:4222",
        "workers": "3",
        "backups": str(tmp_path / "b"),
        "metrics_token_file": str(tmp_path / "token"),
        "log_format": "json",
        "log_level": "debug",
        "access_log": "true",
    }
    assert set(said) == set(ServerSettings.__struct_fields__)
    words, lines = [], ["[server]"]
    for name, value in said.items():
        switch = value == "true"
        words += [f"--{name.replace('_', '-')}", *([] if switch else [value])]
        plain = switch or name in ("port", "workers")
        written = value if plain else f"'{value}'"
        lines.append(f"{name} = {f'[{written}]' if name in ('trusted_proxy', 'origin') else written}")
    environment = {f"TUI_CHAT_{name.upper()}": value for name, value in said.items()}
    by_option = options(tmp_path, "", {}, *words)
    by_environment = options(tmp_path, "", environment)
    by_file = options(tmp_path, "\n".join(lines), {})
    assert by_option == by_environment == by_file
    assert by_file.metrics_token == "0123456789abcdef"


def test_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    assert options(tmp_path, '[server]\ndata = "here"\n', {}).data == tmp_path / "here"


@pytest.mark.parametrize(
    ("file", "line", "named"),
    [
        ('language = "en"\n[server]\nport = 80\nprot = 81\n', 4, "prot"),
        ("prot = 1\n[server]\nport = 80\n", 1, "prot"),
        ('[delete]\n[server]\nport = "80"\n', 3, "port"),
        ("[server]\nport = 65536\n", 2, "port"),
        ("[sever]\nport = 80\n", 1, "sever"),
        ('[server]\ntrusted_proxy = "10.0.0.1"\n', 2, "trusted_proxy"),
        ("[server]\nport = \n", 2, "line 2"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_line(tmp_path: Path, file: str, line: int, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(file)
    with pytest.raises(ConfigError) as refused:
        read_settings(path)
    assert str(path) in str(refused.value)
    assert f"line {line}" in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("INSECURE", "perhaps"), ("LOG_LEVEL", "loud")])
def test_a_fault_in_the_environment_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"TUI_CHAT_{name}"):
        ServerSettings.of_environment({f"TUI_CHAT_{name}": value})


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        server_settings(parsed("--config", str(tmp_path / "nowhere.toml")), {})


def test_the_settings_that_come_with_the_unit_can_be_used() -> None:
    found = options_of(server_settings(parsed("--config", str(DEPLOY / "server.toml")), {}))
    found.check()
    assert found.public_url is not None
    assert found.trusted_proxy == ("127.0.0.1", "::1")
    unit = (DEPLOY / "tui-chat.service").read_text()
    assert "serve --config /etc/tui-chat/server.toml" in unit
    assert found.data == Path("/var/lib/tui-chat")


@pytest.mark.parametrize("token", ["", "short", "with a space in it, long"])
def test_a_metrics_token_that_is_none_is_refused(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    with pytest.raises(ConfigError, match="token"):
        options(tmp_path, "", {}, "--metrics-token-file", str(tmp_path / "token"))

"""Where a server's settings come from, and which counts."""

import argparse
from pathlib import Path

import pytest

from tui_chat.cli.parser import build_parser
from tui_chat.cli.serve import options_of, server_settings
from tui_chat.config import ConfigError, ServerSettings, read_settings, unknown_variables
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


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ('[server]\nport = "80"\n', "server.port is '80': it takes a whole number from 0 to 65535"),
        ("[server]\nworkers = 0\n", "server.workers is 0: it takes a whole number from 1"),
        ("[server]\nprot = 80\n", "prot is no setting of [server]; did you mean port?"),
        ("[sever]\nport = 80\n", "sever is no setting; did you mean server?"),
        ("[notify]\nx = 1\n", "x is no setting of [notify]; there are desktop, body, bell"),
        ("[server]\norigin = [3]\n", "server.origin is [3]: it takes a list in [brackets], each text in quotes"),
        ('[server]\ninsecure = "yes"\n', "server.insecure is 'yes': it takes true or false"),
        ('[server]\nlog_format = "xml"\n', 'server.log_format is \'xml\': it takes "json" or "text"'),
        ("server = 3\n", "server is 3: it takes a table of settings"),
        (f"language = [{'10, ' * 90}]\n", f"language is [{'10,' * 26}1…: it takes text in quotes"),
    ],
)
def test_a_fault_is_told_in_words(tmp_path: Path, file: str, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(file)
    with pytest.raises(ConfigError) as refused:
        read_settings(path)
    where, _, said = str(refused.value).partition(": ")
    assert where == f"{path}, line {1 if file.startswith('[sever]') else len(file.splitlines())}"
    assert said == words


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("PORT", "many", "a whole number from 0 to 65535"),
        ("INSECURE", "perhaps", "true or false"),
        ("LOG_LEVEL", "loud", "debug, error, info or warning"),
    ],
)
def test_a_fault_in_the_environment_is_named(name: str, value: str, takes: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServerSettings.of_environment({f"TUI_CHAT_{name}": value})
    assert str(refused.value) == f"TUI_CHAT_{name} is {value!r}: it takes {takes}"


def test_a_variable_that_means_nothing_is_known_with_the_one_that_is_most_like_it() -> None:
    said = {f"TUI_CHAT_{name.upper()}": "x" for name in ServerSettings.__struct_fields__}
    said |= {"TUI_CHAT_CONFIG": "x", "TUI_CHAT_PASSWORD": "x", "TUI_CHAT_NEW_PASSWORD": "x", "PATH": "x"}
    assert unknown_variables(said) == {}
    wrong = {"TUI_CHAT_PROT": "1", "tui_chat_host": "x", "TUI_CHAT_DATABSE": "x", "TUI_CHAT_QQQQQQQQQQQQQQ": "x"}
    assert unknown_variables(said | wrong) == {
        "TUI_CHAT_DATABSE": "TUI_CHAT_DATABASE",
        "TUI_CHAT_PROT": "TUI_CHAT_PORT",
        "TUI_CHAT_QQQQQQQQQQQQQQ": None,
        "tui_chat_host": "TUI_CHAT_HOST",
    }


@pytest.mark.parametrize("option", ["--port", "--workers"])
def test_a_wrong_number_is_refused_with_what_is_allowed(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(option, "many")
    assert f"argument {option}: takes a whole number from" in capsys.readouterr().err


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

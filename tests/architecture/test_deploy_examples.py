"""The example of three machines, and the compose file: what reads them takes them, and they name only what there is."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.buses import NATS
from tui_chat.cli.parser import build_parser
from tui_chat.cli.serve import options_of, server_settings
from tui_chat.config import ServerSettings
from tui_chat.server.options import ServerOptions

DEPLOY = Path(__file__).parents[2] / "assets" / "deploy"
THREE = DEPLOY / "three-machines"


def options() -> ServerOptions:
    """The settings file, and what its comment puts into the environment."""
    text = (THREE / "server.toml").read_text()
    environment = dict(re.findall(r"^#\s+(TUI_CHAT_\w+)=(\S+)$", text, re.MULTILINE))
    assert len(environment) == 2
    parsed = build_parser().parse_args(["serve", "--config", str(THREE / "server.toml")])
    return options_of(server_settings(parsed, environment))


def test_the_server_takes_its_settings() -> None:
    found = options()
    found.check()
    assert found.database is not None
    assert "target_session_attrs=read-write" in found.database
    assert found.bus is not None
    assert found.bus.count("nats://") == 3
    assert found.workers > 1


def test_nats_takes_its_settings() -> None:
    passwords = {"NATS_PASSWORD": "one", "NATS_ROUTE_PASSWORD": "two"}
    command = [str(NATS), "-t", "-c", str(THREE / "nats.conf")]
    done = subprocess.run(command, env={**os.environ, **passwords}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_speak_of_the_same_machines() -> None:
    machines = set(options().trusted_proxy)
    assert options().host in machines
    for name in ("nginx.conf", "Caddyfile"):
        assert set(re.findall(r"(10\.0\.0\.\d+):8790", (THREE / name).read_text())) == machines
    assert set(re.findall(r"(10\.0\.0\.\d+):6222", (THREE / "nats.conf").read_text())) == machines


def test_the_compose_file_names_what_there_is() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    composed: dict[str, Any] = yaml.safe_load(text)
    services = composed["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert {one["source"] for one in service.get("configs", ())} <= set(composed["configs"]), name
    known = {f"TUI_CHAT_{name.upper()}" for name in ServerSettings.__struct_fields__}
    environment = services["chat1"]["environment"]
    assert set(environment) <= known
    filled = {name: re.sub(r"\$\{\w+(:\?[^}]*)?\}", "secret", value) for name, value in environment.items()}
    found = options_of(ServerSettings.of_environment(filled))
    found.check()
    assert set(re.findall(r"@(\w+):4222", found.bus or "")) == {"nats1", "nats2", "nats3"}
    assert set(re.findall(r"(chat\d):8790", text)) == {name for name in services if name.startswith("chat")}

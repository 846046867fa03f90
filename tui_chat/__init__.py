"""tui-chat: a chat client for people who live in a terminal, with the server it talks to."""

__version__ = "0.1.0"

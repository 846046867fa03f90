"""The SDK: a session with a chat server, usable without a terminal."""

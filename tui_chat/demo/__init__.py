"""A server with real conversations and peers that go on talking, to try everything on."""

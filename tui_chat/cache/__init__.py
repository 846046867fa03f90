"""What a client keeps on disk: TinyDB over an append-only journal."""

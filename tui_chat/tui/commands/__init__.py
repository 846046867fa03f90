"""User commands: one class each, declared once for keys, palette, help and footer."""

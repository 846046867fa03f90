"""The terminal client, built with Textual."""

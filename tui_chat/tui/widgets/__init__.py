"""Widgets: plain data goes in, messages of the domain come out; none of them knows a session."""

"""Pure drawing: from conversations and messages to lines of styled text, by cells. No widgets, no session."""

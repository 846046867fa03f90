"""Dialogs: screens over the screen that ask one thing."""

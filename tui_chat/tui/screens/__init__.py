"""Screens and the panes that they are made of."""

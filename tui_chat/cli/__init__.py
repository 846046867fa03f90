"""The `tui-chat` command, one file per subcommand."""

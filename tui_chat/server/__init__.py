"""The server: operations over a database, HTTP commands in, one WebSocket of events out."""

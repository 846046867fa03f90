"""The vocabulary that client and server share: names, bodies, events, errors, limits. No I/O."""

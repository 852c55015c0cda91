"""The processes of a room. Each imports only what it runs, so that twelve start quickly."""

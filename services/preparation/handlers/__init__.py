"""Commands and events of preparation: each asks the domain, then changes the store."""

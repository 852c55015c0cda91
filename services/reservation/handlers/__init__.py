"""Commands and events: each loads, asks the domain, stores, and says what has happened."""

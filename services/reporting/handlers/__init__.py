"""Events become facts, a batch of one type at a time."""

"""What a fact is, and how facts become a table: pure, no I/O."""

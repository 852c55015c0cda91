"""What preparation writes for machines outside: the printer of notices."""

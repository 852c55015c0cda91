"""The kernel: used by two rooms or more, knows no room."""

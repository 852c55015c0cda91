"""The reporting room: what has been done, counted, and traced back to its cases."""

"""The counter's rules: no I/O, no framework, every verb beside the error it can raise."""

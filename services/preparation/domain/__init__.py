"""The rules of preparation: pure values and verbs, no input or output."""

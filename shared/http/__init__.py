"""The HTTP edge of every room: one way to ask, to answer, to fail and to be watched."""

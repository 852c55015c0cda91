"""What lies outside the room: the city's mail server, and the letters that go through it."""

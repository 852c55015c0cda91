"""Rules of sites, seats and bookings: pure values, and verbs beside the errors they raise."""

"""Sockets: transports, each client's lease on one, whom to trust, and answers that end in time."""

"""The emulator behind real TLS sockets, with a token service beside it, for clients in any process."""

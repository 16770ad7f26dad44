"""A stand-in for what Microsoft's tests use of pyOpenSSL, which has dropped a part of it."""

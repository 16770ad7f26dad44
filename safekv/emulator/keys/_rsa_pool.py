"""RSA keys that are at once at hand: making one takes up to seconds, and tests need many.

Each process makes a few of each size, when they are first asked for, and then hands them out
in turn. Two keys of the emulator can therefore be the same one: it protects nothing.
"""

from __future__ import annotations

import threading
from math import gcd

from cryptography.hazmat.primitives.asymmetric import rsa

SIZES = (2048, 3072, 4096)
EXPONENT = 65_537
EXPONENTS = (3, 5, 17, 257, EXPONENT)
#: How many are made of each size.
MOST = {2048: 6, 3072: 4, 4096: 3}


class RsaPool:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[int, list[rsa.RSAPrivateKey]] = {size: [] for size in SIZES}
        self._taken = dict.fromkeys(SIZES, 0)

    def take(self, size: int) -> rsa.RSAPrivateKey:
        """A key of this size; not the one that was handed out last."""
        with self._lock:
            made = self._made[size]
            if len(made) < MOST[size]:
                made.append(rsa.generate_private_key(EXPONENT, size))
            self._taken[size] += 1
            return made[(self._taken[size] - 1) % len(made)]


def generate(size: int, exponent: int) -> rsa.RSAPrivateKey:
    """A key of the pool, or a new one if it has to have another of the ``EXPONENTS``."""
    if exponent == EXPONENT:
        return POOL.take(size)
    if exponent == 3:
        return rsa.generate_private_key(3, size)
    while True:
        primes = rsa.generate_private_key(EXPONENT, size).private_numbers()
        # The exponent must have an inverse. Of two pairs of primes, one at least is likely to give it one.
        if gcd(exponent, (primes.p - 1) * (primes.q - 1)) == 1:
            return of_primes(primes.p, primes.q, exponent, pow(exponent, -1, (primes.p - 1) * (primes.q - 1)))


def of_primes(p: int, q: int, e: int, d: int) -> rsa.RSAPrivateKey:
    """``ValueError`` unless the numbers belong together."""
    if min(p, q) < 3 or e * d % (p - 1) != 1 or e * d % (q - 1) != 1:
        raise ValueError("no RSA key")
    public = rsa.RSAPublicNumbers(e, p * q)
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()


POOL = RsaPool()

"""What the service admits of each class of operation: the numbers that are documented and not settable one by one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``most`` requests in ``window`` seconds."""

    most: int
    window: float


#: How many operations with an RSA-2048 key one with a longer key counts for.
RSA_WEIGHTS = {2048: 1, 3072: 4, 4096: 8}

#: Requests per second to a Managed HSM, by class.
MANAGED_HSM = {
    "mhsm_create": 1,
    "mhsm_delete": 10,
    "mhsm_purge": 10,
    "mhsm_backup": 10,
    "mhsm_restore": 10,
    "mhsm_get": 1_100,
    "mhsm_roles": 5,
    "mhsm_full_backup": 1,
    "mhsm_rsa_2048_public": 10_000,
    "mhsm_rsa_3072_public": 10_000,
    "mhsm_rsa_4096_public": 6_000,
    "mhsm_rsa_2048_private": 1_100,
    "mhsm_rsa_3072_private": 360,
    "mhsm_rsa_4096_private": 160,
    "mhsm_ec_P-256_private": 260,
    "mhsm_ec_P-256K_private": 260,
    "mhsm_ec_P-384_private": 165,
    "mhsm_ec_P-521_private": 56,
    "mhsm_ec_P-256_public": 130,
    "mhsm_ec_P-256K_public": 130,
    "mhsm_ec_P-384_public": 82,
    "mhsm_ec_P-521_public": 28,
    "mhsm_aes_encrypt": 8_000,
    "mhsm_aes_wrap": 9_000,
}

"""What is said when the certificates that a variable names are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from safekv.connection.wire._tls import ssl_context


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (["REQUESTS_CA_BUNDLE"], "It is in REQUESTS_CA_BUNDLE: correct or unset it."),
        (
            ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SAFEKV_EMULATOR_VAULTS"],
            "It is in REQUESTS_CA_BUNDLE, SSL_CERT_FILE: correct or unset them. "
            "The emulator that these variables are of has ended.",
        ),
        ([], "Give the path of a file with certificates, or of a directory."),
    ],
)
def test_a_missing_bundle_is_named_with_the_variable_that_names_it(
    variables: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SAFEKV_EMULATOR_VAULTS"):
        monkeypatch.delenv(name, raising=False)
    gone = str(tmp_path / "ca.pem")
    for name in variables:
        monkeypatch.setenv(name, gone)
    with pytest.raises(OSError, match="suitable TLS CA certificate bundle") as error:  # as requests says it
        ssl_context(gone)
    assert str(error.value).splitlines()[1] == said

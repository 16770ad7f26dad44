"""``safekv migrate``: imports, names and strings, with all else as it was."""

from __future__ import annotations

import ast
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("libcst")

from safekv.migrate import rewrite
from safekv.migrate._exports import NAMES, ours, place

CHANGED = {
    "from": (
        "from azure.keyvault.secrets import SecretClient\n",
        "from safekv.secrets import SecretClient\n",
    ),
    "from, several names on several lines": (
        "from azure.keyvault.secrets import (  # why\n    SecretClient as C,  # it\n    KeyVaultSecret,\n)\n",
        "from safekv.secrets import (  # why\n    SecretClient as C,  # it\n    KeyVaultSecret,\n)\n",
    ),
    "aio": (
        "from azure.keyvault.keys.crypto.aio import CryptographyClient\nfrom azure.identity.aio import *\n",
        "from safekv.keys.crypto.aio import CryptographyClient\nfrom safekv.identity.aio import *\n",
    ),
    "from the package": (
        "from azure.keyvault import secrets, keys as k\nfrom azure import identity\n",
        "from safekv import secrets, keys as k\nfrom safekv import identity\n",
    ),
    "from the module, a module": (
        "from azure.keyvault.keys import crypto, aio\n",
        "from safekv.keys import crypto, aio\n",
    ),
    "import as": (
        "import os, azure.keyvault.certificates.aio as certificates  # two\n",
        "import os, safekv.certificates.aio as certificates  # two\n",
    ),
    "import, with what uses it": (
        "import azure.identity\nimport azure.keyvault.secrets\n\nclass A(azure.keyvault.secrets.SecretClient):\n"
        "    credential = azure.identity.DefaultAzureCredential( )\n",
        "import safekv.identity\nimport safekv.secrets\n\nclass A(safekv.secrets.SecretClient):\n"
        "    credential = safekv.identity.DefaultAzureCredential( )\n",
    ),
    "import, with azure used by other imports": (
        "import azure.identity\nimport azure.storage\nazure.storage.blob, azure.identity.AzureCliCredential\n",
        "import safekv.identity\nimport azure.storage\nazure.storage.blob, safekv.identity.AzureCliCredential\n",
    ),
    "annotations in quotes": (
        "import azure.keyvault.secrets\ndef f(c: 'azure.keyvault.secrets.SecretClient | None') -> "
        "list['azure.keyvault.secrets.KeyVaultSecret']: ...\n",
        "import safekv.secrets\ndef f(c: 'safekv.secrets.SecretClient | None') -> "
        "list['safekv.secrets.KeyVaultSecret']: ...\n",
    ),
    "in functions, in conditions": (
        "if TYPE_CHECKING:\n    from azure.keyvault.keys import KeyClient\ndef f():\n\timport azure.identity\n"
        "\treturn azure.identity.AzureCliCredential()\n",
        "if TYPE_CHECKING:\n    from safekv.keys import KeyClient\ndef f():\n\timport safekv.identity\n"
        "\treturn safekv.identity.AzureCliCredential()\n",
    ),
    "one of two names is private": (
        "# first\nfrom azure.keyvault.secrets import (\n    SecretClient,\n    _shared,\n)  # last\n",
        "# first\nfrom safekv.secrets import (\n    SecretClient,\n)  # last\n"
        "from azure.keyvault.secrets import _shared  # last\n",
    ),
    "one of two names is private, on a line with others": (
        "if x: from azure.identity import _internal as i, AzureCliCredential as c; y = 1\n",
        "if x: from safekv.identity import AzureCliCredential as c; from azure.identity import _internal as i; y = 1\n",
    ),
    "patches": (
        "with mock.patch('azure.keyvault.secrets.SecretClient.get_secret'), patch(\"azure.identity.aio\"):\n"
        "    monkeypatch.setattr('azure.keyvault.keys.KeyClient', None)\n",
        "with mock.patch('safekv.secrets.SecretClient.get_secret'), patch(\"safekv.identity.aio\"):\n"
        "    monkeypatch.setattr('safekv.keys.KeyClient', None)\n",
    ),
    "modules by name": (
        "import_module('azure.identity'); sys.modules['azure.keyvault.secrets'] = patch.dict('sys.modules', "
        "{'azure.keyvault.keys': None, 'azure': None})\n",
        "import_module('safekv.identity'); sys.modules['safekv.secrets'] = patch.dict('sys.modules', "
        "{'safekv.keys': None, 'azure': None})\n",
    ),
    "modules that a test puts in place": (
        "monkeypatch.setitem(sys.modules, 'azure.identity', ModuleType('azure.identity'))\n"
        "sys.modules.pop('azure.keyvault.secrets.aio', None)\n",
        "monkeypatch.setitem(sys.modules, 'safekv.identity', ModuleType('safekv.identity'))\n"
        "sys.modules.pop('safekv.secrets.aio', None)\n",
    ),
    "newlines of Windows": (
        "from azure.identity import AzureCliCredential\r\nfrom azure.keyvault.secrets import SecretClient, _x\r\n",
        "from safekv.identity import AzureCliCredential\r\nfrom safekv.secrets import SecretClient\r\n"
        "from azure.keyvault.secrets import _x\r\n",
    ),
}

STAYS = {
    "private": ("from azure.keyvault.secrets._shared import HttpChallengeCache\n", "SKV002"),
    "private, imported as": ("import azure.keyvault.secrets._client as c\n", "SKV002"),
    "a name that is not exported": ("from azure.identity import __version__\n", "SKV002"),
    "a package that is not replaced": ("from azure.identity.broker import X\n", "SKV002"),
    "the first generation": ("from azure.keyvault import KeyVaultClient\n", "SKV005"),
    "its modules": ("from azure.keyvault.models import KeyVaultErrorException\n", "SKV005"),
    "its module, imported": ("import azure.keyvault.key_vault_client as k\n", "SKV005"),
    "its package": ("import azure.keyvault\nclient = azure.keyvault.KeyVaultClient(x)\n", "SKV005"),
    "a name of it that is patched": ("mock.patch('azure.keyvault.KeyVaultClient')\n", "SKV005"),
    "a package that there is, too": ("from azure.keyvault.securitydomain import SecurityDomainClient\n", "SKV002"),
    "a private name that is patched": ("mock.patch('azure.keyvault.secrets._client.SecretClient')\n", "SKV002"),
    "a string of any kind": ("x = {'client': 'azure.keyvault.secrets.SecretClient'}\n", "SKV003"),
    "azure is used through it": (
        "import azure.keyvault.secrets\nazure.keyvault.secrets.SecretClient\nazure.core.exceptions.AzureError\n",
        "SKV004",
    ),
    "a class of a module that is not imported": (
        "import azure.keyvault.secrets\nazure.keyvault.keys.crypto.CryptographyClient\n",
        "SKV004",
    ),
    "azure is something else": ("import azure.identity\ndef f(azure): return azure.identity.x\n", "SKV004"),
    "a logger": ("logging.getLogger('azure.identity').setLevel(10)\n", None),
    "another service": ("from azure.storage.blob import BlobClient\nimport azure.core.exceptions\n", None),
    "a docstring and comments": (
        '"""See azure.identity.X."""\n# from azure.identity import X\n',
        None,
    ),
    "relative": ("from .azure.identity import DefaultAzureCredential\n", None),
    "already done": ("from safekv.secrets import SecretClient\n", None),
    "asked to stay": ("from azure.identity import AzureCliCredential  # safekv: ignore[SKV001]\n", None),
}


@pytest.mark.parametrize("name", CHANGED)
def test_it_is_replaced_and_all_else_stays(name: str) -> None:
    old, new = CHANGED[name]
    done = rewrite(old)
    assert done.text == new
    assert done.replaced
    assert rewrite(new).text == new


@pytest.mark.parametrize("name", STAYS)
def test_it_stays_and_is_listed(name: str) -> None:
    text, rule = STAYS[name]
    done = rewrite(text, "a.py")
    assert done.text == text
    assert not done.replaced
    assert [finding.rule for finding in done.left] == ([rule] if rule else [])


def test_each_scope_is_decided_by_itself() -> None:
    text = (
        "import azure.identity\n"
        "def f():\n    import azure.keyvault.keys\n    azure.core.x\n    return azure.keyvault.keys.KeyClient\n"
        "def g(): return azure.identity.AzureCliCredential\n"
    )
    done = rewrite(text)
    assert "import safekv.identity" in done.text
    assert "safekv.identity.AzureCliCredential" in done.text
    assert "    import azure.keyvault.keys\n" in done.text
    assert "return azure.keyvault.keys.KeyClient" in done.text
    assert [(finding.rule, finding.line) for finding in done.left] == [("SKV004", 3)]


def test_places_are_those_of_the_text() -> None:
    done = rewrite("x = 1\nif x:\n    from azure.identity import AzureCliCredential, _a\n", "a.py")
    (finding,) = done.replaced
    assert (finding.path, finding.line, finding.column) == ("a.py", 3, 5)
    assert done.left[0].message == "safekv has no azure.identity._a"


@pytest.mark.parametrize("module", sorted(NAMES))
def test_every_name_in_the_table_is_in_the_sdk_and_in_safekv(module: str) -> None:
    if module.startswith("azure.keyvault.administration"):
        pytest.importorskip("azure.keyvault.administration")
    theirs = importlib.import_module(module)
    mine = importlib.import_module(ours(module))
    for name in NAMES[module]:
        if name in {"aio", "crypto"}:
            importlib.import_module(f"{mine.__name__}.{name}")
        elif hasattr(theirs, name):  # an older azure-identity lacks some
            assert hasattr(mine, name), name
    if "identity" not in module:
        assert set(theirs.__all__) <= NAMES[module]


def test_names_are_found_in_their_modules() -> None:
    found = place("azure.keyvault.keys.crypto.aio.CryptographyClient.encrypt")
    assert found is not None
    assert found.ours == "safekv.keys.crypto.aio.CryptographyClient.encrypt"
    assert found.known
    unknown = place("azure.keyvault.keys._models.X")
    assert unknown is not None
    assert not unknown.known
    assert place("azure.keyvault.unknown") is None


_MODULES = st.sampled_from([*NAMES, "azure.keyvault", "azure", "azure.core", "azure.keyvault.secrets._shared", "os"])
_IDENTIFIERS = st.sampled_from(
    ["SecretClient", "DefaultAzureCredential", "KeyClient", "aio", "keys", "identity", "_shared", "x", "__version__"]
)


@st.composite
def _statement(draw: st.DrawFn) -> str:
    module, name, other = draw(_MODULES), draw(_IDENTIFIERS), draw(_IDENTIFIERS)
    form = draw(
        st.sampled_from(
            [
                f"import {module}",
                f"import {module} as {name}",
                f"import {module}, os",
                f"from {module} import {name}",
                f"from {module} import {name} as a, {other}",
                f"from {module} import (\n    {name},  # x\n    {other},\n)",
                f"x = {module}.{name}",
                f"mock.patch('{module}.{name}')",
                f"y: '{module}.{name}' = 1",
                f"x = ['{module}']",
            ]
        )
    )
    return form + draw(st.sampled_from(["", "  # c", "; z = 1"]))


@given(st.lists(st.tuples(_statement(), st.sampled_from(["", "def f():", "class C:", "if x:"])), max_size=8))
def test_doing_it_again_changes_nothing_and_the_result_is_python(statements: list[tuple[str, str]]) -> None:
    lines = []
    for statement, block in statements:
        indented = statement.replace("\n", "\n    ")
        lines.append(f"{block}\n    {indented}" if block else statement)
    text = "\n".join(lines) + "\n"
    done = rewrite(text)
    ast.parse(done.text)
    again = rewrite(done.text)
    assert again.text == done.text
    assert not again.replaced
    assert (done.text == text) == (not done.replaced)

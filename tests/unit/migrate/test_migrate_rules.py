"""What each rule finds, and what it must not take for a fault."""

from __future__ import annotations

from textwrap import dedent

import pytest

pytest.importorskip("libcst")

from safekv.migrate import RULES, lint

HEAD = """\
import time
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient
from azure.keyvault.secrets import SecretClient
"""


def rules(code: str, head: str = HEAD) -> list[str]:
    return [finding.rule for finding in lint(head + dedent(code), "app.py")]


BAD = {
    "SKV101": [
        """
        credential = DefaultAzureCredential()
        def job(names):
            for name in names:
                SecretClient("url", credential).get_secret(name)
        """,
        """
        def handler(credential):
            return SecretClient("url", credential)
        @app.get("/items/{name}")
        async def item(name): return handler(None)
        """,
        """
        @app.route("/")
        def index():
            client = SecretClient(vault_url="url", credential=credential)
            return client.get_secret("name").value
        """,
        """
        import azure.functions as func
        def main(request: func.HttpRequest): return KeyClient("url", credential)
        """,
        """
        @app.queue_trigger(arg_name="message")
        def on_message(message): CryptographyClient("key", credential)
        """,
        """
        from django.http import HttpRequest
        def view(request): SecretClient("url", credential)
        """,
        """
        class Items(MethodView):
            def post(self): self.client = SecretClient("url", credential)
        """,
        """
        from celery import shared_task
        @shared_task
        def work(): SecretClient("url", credential)
        """,
        """
        def get_client(): return SecretClient("url", credential)
        @router.post("/")
        def make(client = Depends(get_client)): ...
        """,
        """
        def get_secret(name, default=None):
            client = SecretClient("url", credential)
            return client.get_secret(name.replace("_", "-")).value
        """,
        """
        def read(name):
            full = f"app-{name}"
            with SecretClient("url", credential) as client:
                return client.get_secret(name=full).value
        """,
        """
        def make(): return SecretClient("url", credential)
        def job():
            while True:
                make().list_properties_of_secrets()
                time.sleep(60)
        """,
        """
        class Reader:
            def __init__(self): self.client = SecretClient("url", credential)
        values = [Reader().client.get_secret("a") for _ in range(9)]
        """,
    ],
    "SKV102": [
        """
        @app.route("/")
        def index(): return DefaultAzureCredential().get_token("scope")
        """,
        """
        def tokens(scopes): return [DefaultAzureCredential().get_token(scope) for scope in scopes]
        """,
    ],
    "SKV103": [
        """
        def job(rows, client: CryptographyClient):
            return [client.encrypt("RSA-OAEP", row) for row in rows]
        """,
        """
        class Box:
            def __init__(self): self._crypto = KeyClient("url", credential).get_cryptography_client("key")
            def open(self, row): return self._crypto.decrypt("RSA-OAEP", row).plaintext
            def open_all(self, rows):
                for row in rows:
                    yield self.open(row)
        """,
        """
        async def wrap(keys, client: "CryptographyClient | None" = None):
            async for key in keys:
                await client.wrap_key("RSA-OAEP", key)
        """,
    ],
    "SKV104": [
        """
        def load(client):
            return {each.name: client.get_secret(each.name).value for each in client.list_properties_of_secrets()}
        """,
        """
        def load(client):
            found = sorted(p.name for p in client.list_properties_of_secrets() if p.enabled)
            for name in found:
                print(client.get_secret(name).properties)
        """,
        """
        async def load(client):
            async for each in client.list_properties_of_secrets():
                secret = await client.get_secret(each.name)
        """,
    ],
    "SKV105": [
        """
        client = SecretClient("url", credential)
        PASSWORD = client.get_secret("password").value
        """,
        """
        class Settings:
            password = SecretClient("url", credential).get_secret("password").value
        """,
        """
        client = SecretClient("url", credential)
        def secret(name): return client.get_secret(name).value
        PASSWORD = secret("password")
        def use(password=secret("other")): ...
        """,
        """
        PASSWORD = SecretClient("url", credential).get_secret("password").value
        if __name__ == "__main__":
            app.run()
        """,
    ],
    "SKV201": ['client = SecretClient("url", credential, verify_challenge_resource=False)'],
    "SKV202": [
        'client = SecretClient("url", credential, logging_enable=True)',
        "credential = DefaultAzureCredential(logging_enable=True)",
        'def f(client: SecretClient): return client.get_secret("a", logging_enable=True)',
    ],
    "SKV203": [
        """
        def read(client: SecretClient):
            for attempt in range(5):
                try:
                    return client.get_secret("a")
                except HttpResponseError:
                    time.sleep(2 ** attempt)
        """,
        """
        def read(client: SecretClient):
            while True:
                try:
                    secret = client.get_secret("a")
                    break
                except (HttpResponseError, OSError) as error:
                    print(error)
        """,
        """
        def read(client: SecretClient):
            for attempt in range(5):
                try:
                    return client.get_secret("a")
                except ResourceNotFoundError:
                    return None
                except HttpResponseError:
                    time.sleep(1)
        """,
    ],
}

GOOD = {
    "SKV101": [
        'client = SecretClient("url", credential)\ndef read(): return client.get_secret("a")',
        """
        def main():
            client = SecretClient("url", credential)
            for name in ("a", "b"):
                client.get_secret(name)
        """,
        # a client for each vault
        """
        def clients(vaults): return {name: SecretClient(url, credential) for name, url in vaults.items()}
        """,
        """
        def copy(urls):
            for url in urls:
                address = f"https://{url}"
                client = SecretClient(address, credential)
        """,
        # made once
        """
        _client = None
        def client():
            global _client
            if _client is None:
                _client = SecretClient("url", DefaultAzureCredential())
            return _client
        @app.get("/")
        def index(): return client().get_secret("a")
        """,
        """
        class Vault:
            def __init__(self): self._client = None
            @property
            def client(self):
                if not self._client:
                    credential = DefaultAzureCredential()
                    self._client = SecretClient("url", credential)
                return self._client
            def read(self, name): return self.client.get_secret(name)
        """,
        """
        def read(clients, url, name):
            try:
                client = clients[url]
            except KeyError:
                client = clients[url] = SecretClient(url, credential)
            return client.get_secret(name)
        """,
        """
        @lru_cache
        def client(): return SecretClient("url", DefaultAzureCredential())
        @app.get("/{name}")
        def index(name, vault = Depends(client)): return client().get_secret(name)
        """,
        """
        class Vault:
            @cached_property
            def client(self): return SecretClient("url", credential)
            def read(self, name): return self.client.get_secret(name)
        """,
        # tried again, not done again
        """
        def connect():
            while True:
                try:
                    return SecretClient("url", DefaultAzureCredential())
                except ValueError:
                    time.sleep(1)
        """,
        # what looks like a handler
        """
        @mock.patch("azure.keyvault.secrets.SecretClient")
        @cache.get("clients")
        def test(mocked): SecretClient("url", credential)
        @app.on_event("startup")
        def start(): app.client = SecretClient("url", credential)
        @click.command("get")
        def get(name): SecretClient("url", credential).get_secret(name)
        def main(args): SecretClient("url", credential).get_secret(args.name)
        def configured(config): SecretClient("url", credential).get_secret(config["name"])
        """,
        # made where the caller gave none
        """
        def read(name, client=None, credential=None):
            credential = credential or DefaultAzureCredential()
            client = client if client is not None else SecretClient("url", credential)
            return client.get_secret(name)
        def read_again(name, client=None):
            if not client:
                client = SecretClient("url", DefaultAzureCredential())
            return client.get_secret(name)
        """,
        """
        @dataclass
        class SecretClient: name: str
        def read(names): return [SecretClient(name="url") for _ in names]
        """,
    ],
    "SKV102": [
        """
        def tokens(tenants):
            return [ClientSecretCredential(tenant, "id", "secret").get_token("scope") for tenant in tenants]
        """,
        "def credential(): return DefaultAzureCredential()",
    ],
    "SKV103": [
        """
        def job(rows, box):
            return [box.encrypt(row) for row in rows]
        """,
        'def once(client: CryptographyClient, data): return client.encrypt("RSA-OAEP", data)',
        """
        def open(blob, clients: list[CryptographyClient]):
            for key_id in blob.keys:
                client = CryptographyClient(key_id, credential)
                client.decrypt("RSA-OAEP", blob.data)
        """,
        """
        def sign(client: CryptographyClient, digests): return [client.sign("RS256", digest) for digest in digests]
        """,
        """
        def open(client: CryptographyClient, data):
            for attempt in range(3):
                try:
                    return client.decrypt("RSA-OAEP", data)
                except OSError:
                    time.sleep(1)
        """,
    ],
    "SKV104": [
        "def names(client): return [each.name for each in client.list_properties_of_secrets()]",
        """
        def clean(client):
            for each in client.list_properties_of_secrets():
                client.begin_delete_secret(each.name)
        """,
        """
        def read(client, names):
            print(list(client.list_properties_of_secrets()))
            for name in names:
                client.get_secret(name)
        """,
        """
        def versions(client):
            for each in client.list_properties_of_secret_versions("a"):
                client.get_secret("a", each.version)
        """,
        """
        def read(client):
            for each in client.list_properties_of_secrets():
                client.get_secret("always-the-same")
        """,
    ],
    "SKV105": [
        # scripts
        'client = SecretClient("url", credential)\nprint(client.get_secret("a").name)',
        'secret = SecretClient("url", credential).get_secret("a")\nprint(secret.name)',
        'secret = SecretClient("url", credential).get_secret("a")\nfor row in rows:\n    use(secret, row)',
        'secret = SecretClient("url", credential).get_secret("a")\ncursor = connect(secret)\ncursor.execute("")',
        'client = SecretClient("url", credential)\nif __name__ == "__main__":\n    client.get_secret("a")',
        'client = SecretClient("url", credential)\nread = lambda name: client.get_secret(name)',
        'import os\nvalue = os.environ["x"]\nother = vault.get_secret("a")',
        'client = SecretClient("url", credential)\nif use_vault:\n    PASSWORD = client.get_secret("a").value',
    ],
    "SKV201": ['client = SecretClient("url", credential, verify_challenge_resource=True)'],
    "SKV202": [
        'from azure.storage.blob import BlobClient\nclient = BlobClient("url", logging_enable=True)',
        'client = SecretClient("url", credential, logging_enable=debug)',
    ],
    "SKV203": [
        """
        def read(client: SecretClient):
            for attempt in range(5):
                try:
                    return client.get_secret("a")
                except HttpResponseError as error:
                    if error.status_code != 429: raise
                    time.sleep(1)
        """,
        """
        def read(client: SecretClient):
            try:
                return client.get_secret("a")
            except HttpResponseError:
                return None
        """,
        """
        def read_all(client: SecretClient, names):
            for name in names:
                try:
                    print(client.get_secret(name).name)
                except HttpResponseError:
                    print("no", name)
        """,
        """
        def read(client: SecretClient):
            while True:
                try:
                    return client.get_secret("a")
                except ResourceNotFoundError:
                    time.sleep(1)
        """,
        """
        from azure.core.exceptions import ClientAuthenticationError
        def read(client: SecretClient):
            for attempt in range(5):
                try:
                    return client.get_secret("a")
                except ClientAuthenticationError:
                    raise
                except HttpResponseError:
                    time.sleep(1)
        """,
        """
        from safekv.errors import AccessDenied
        def read(client: SecretClient):
            for attempt in range(5):
                try:
                    return client.get_secret("a")
                except AccessDenied:
                    raise
                except HttpResponseError:
                    time.sleep(1)
        """,
        """
        def read(blobs):
            while True:
                try:
                    return blobs.download("a")
                except HttpResponseError:
                    time.sleep(1)
        """,
        """
        def read(client: SecretClient):
            while True:
                try:
                    return client.get_secret("a")
                except HttpResponseError:
                    raise RuntimeError from None
        """,
    ],
}


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in BAD.items() for code in codes])
def test_a_rule_finds(rule: str, code: str) -> None:
    assert rule in rules(code)


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in GOOD.items() for code in codes])
def test_a_rule_does_not_find(rule: str, code: str) -> None:
    """No other rule finds anything in it either."""
    assert rules(code) == []


@pytest.mark.parametrize("rule", sorted(BAD))
def test_a_comment_silences_a_rule(rule: str) -> None:
    code = dedent(BAD[rule][0])
    silenced = "\n".join(
        f"{line}  # safekv: ignore[SKV999, {rule}]" if line.strip() else "" for line in code.split("\n")
    )
    assert rule not in rules(silenced)
    other = silenced.replace(rule, "SKV999")
    assert rule in rules(other)


def test_a_comment_at_the_end_of_a_call_silences_it_and_a_string_does_not() -> None:
    code = 'client = SecretClient(\n    "url",\n    verify_challenge_resource=False,{}\n)\n'
    assert rules(code.format("  # safekv: ignore[SKV201]")) == []
    assert rules(code.format('\n    x="# safekv: ignore[SKV201]",')) == ["SKV201"]


def test_in_tests_nothing_is_a_fault() -> None:
    code = HEAD + 'client = SecretClient("url", credential, verify_challenge_resource=False, logging_enable=True)\n'
    assert len(lint(code)) == 2
    assert lint(code, test=True) == []


SAFE = HEAD.replace("azure.keyvault", "safekv").replace("azure.identity", "safekv.identity")


def test_what_safekv_cures_is_no_fault_any_more() -> None:
    for code in BAD["SKV102"]:
        assert rules(code, SAFE) == []
    index = """
        @app.route("/")
        def index():
            client = SecretClient("url", DefaultAzureCredential(), logging_enable=False)
            return client.get_secret("a", logging_enable=True)
    """
    assert rules(index) == ["SKV101", "SKV102", "SKV202"]
    assert rules(index, SAFE) == []


@pytest.mark.parametrize(
    "closing",
    [
        'with SecretClient("url", credential) as client: client.get_secret("a")',
        'client = SecretClient("url", credential); client.close()',
    ],
)
def test_closing_safekvs_client_after_each_call_undoes_the_cure(closing: str) -> None:
    assert rules(f"@app.route('/')\ndef index():\n    {closing}", SAFE) == ["SKV101"]
    assert rules(f"def main():\n    {closing}", SAFE) == []
    (finding,) = lint(f"{SAFE}\n@app.route('/')\ndef index():\n    {closing}\n")
    assert finding.fix.startswith("Do not close it after each call")  # it is safekv's already


@pytest.mark.parametrize("rule", ["SKV103", "SKV104", "SKV105", "SKV201", "SKV203"])
def test_what_safekv_does_not_cure_stays_a_fault(rule: str) -> None:
    for code in BAD[rule]:
        assert rule in rules(code, SAFE)


@pytest.mark.parametrize(
    "imports",
    [
        "from azure.keyvault import secrets as s\nmake = s.SecretClient",
        "import azure.keyvault.secrets as s",
        "import safekv\nclass s:\n    SecretClient = safekv.Vault",
    ],
)
def test_names_are_followed_to_what_was_imported(imports: str) -> None:
    found = rules(f"{imports}\n@app.route('/')\ndef index(): s.SecretClient('url', 1)\n", "")
    assert found == (["SKV101"] if "azure" in imports else [])


def test_columns_count_characters() -> None:
    (finding,) = lint("from azure.keyvault.secrets import SecretClient as C\nx = 'äöü', C('u', logging_enable=True)\n")
    assert (finding.line, finding.column) == (2, 34)


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")
        assert rule.url.startswith("https://")


def test_a_module_that_shadows_itself_is_left_alone() -> None:
    code = """
        SecretClient = make_fake()
        def index(names):
            client = client_of(client_of)
            a = b = a
            return [SecretClient("url") for name in names]
    """
    assert rules(code) == []

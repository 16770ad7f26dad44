"""Every rule: why it is one, and what to do. The ids are stable; docs/migrate.md has a section for each."""

from __future__ import annotations

from safekv.errors._topic import CHALLENGE, HTTP_429, INVALID_ISSUER, LEARN
from safekv.migrate._findings import Rule

_SDK = "https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/keyvault"
_THROTTLING = f"{LEARN}/overview-throttling"

_ALL = (
    Rule(
        "SKV001",
        "azure-sdk-import",
        "safekv has this module with the same names: one client, one connection and one token for each vault.",
        "Run safekv migrate --write.",
        "note",
    ),
    Rule(
        "SKV002",
        "not-in-safekv",
        "safekv exports the SDK's public names; what is private to the SDK changes without notice.",
        "Use the public name if there is one; this import goes on working, for the SDK stays installed.",
        "note",
    ),
    Rule(
        "SKV003",
        "name-in-a-string",
        "Nothing says that this string is the name of something to import or to patch, so it is left alone.",
        "Change it by hand if it is: a patch of the SDK's module does not reach code that imports safekv's.",
        "note",
    ),
    Rule(
        "SKV004",
        "left-alone",
        "Replacing this import could leave a name without a module.",
        "Import what is used by its full name, or from its module, and run safekv migrate again.",
        "note",
    ),
    Rule(
        "SKV005",
        "first-generation",
        "azure-keyvault before 4.0 (KeyVaultClient) is another interface, with other credentials; it gets no updates "
        "any more, and safekv has nothing for it.",
        "Port it to SecretClient, KeyClient and CertificateClient first, as Microsoft's migration guides say; then run "
        "safekv migrate again.",
        url=f"{_SDK}/azure-keyvault-secrets/migration_guide.md",
    ),
    Rule(
        "SKV009",
        "unreadable",
        "What cannot be read is neither migrated nor looked at.",
        "Correct it, or leave it out with --exclude.",
    ),
    Rule(
        "SKV101",
        "client-per-call",
        "The guide's first remedy for 429 is a single client in the application for a single vault: each new one "
        "connects and authenticates again.",
        "Import it from safekv, where constructing it again gives the same object; or construct it once, at the start. "
        "Do not close it after each call.",
        url=HTTP_429,
    ),
    Rule(
        "SKV102",
        "credential-per-call",
        "The guide's second remedy for 429 is a single instance of the credential for each vault: each new one gets a "
        "token of its own.",
        "Import it from safekv.identity, where the same arguments give the same object; or construct it once, at the "
        "start.",
        url=HTTP_429,
    ),
    Rule(
        "SKV103",
        "encrypt-in-a-loop",
        "The guide advises wrap and unwrap operations for a symmetric key instead of encryption by the vault, which is "
        "a request for each piece of data.",
        "Use safekv.envelope: KeyRing.create(key_id) once, then Encryptor(ring).encrypt_many(...); see "
        "docs/encryption.md.",
        url=HTTP_429,
    ),
    Rule(
        "SKV104",
        "list-then-get",
        "A request for each secret of the vault, one after the other, at every start: the guide warns that starts are "
        "throttled as more application instances are started.",
        "Use safekv.load(prefix=...) or client.get_many(names): all at once, and one error that names all that failed.",
        url=HTTP_429,
    ),
    Rule(
        "SKV105",
        "secret-at-import",
        "Every process that imports the module, a test or a tool too, asks the vault, and keeps the value for good; "
        "the guide warns that starts are throttled as more application instances are started.",
        "Read it in a function that the application's start calls: safekv.load([...]) or safekv.load_as(Settings).",
        url=HTTP_429,
    ),
    Rule(
        "SKV201",
        "challenge-not-verified",
        "Without the check a token is sent to whoever answers: the guide advises it for mock services and "
        "non-transparent proxies alone.",
        "Leave the keyword out, and give the vault's own URL; see https://aka.ms/azsdk/blog/vault-uri.",
        url=CHALLENGE,
    ),
    Rule(
        "SKV202",
        "bodies-logged",
        "It writes bodies and headers to the log, which are secret values and tokens here.",
        "Leave it out: safekv's logger says what is sent and answered, without bodies and tokens.",
    ),
    Rule(
        "SKV203",
        "blind-retry",
        "HttpResponseError is a refusal (401, 403, 404) as well as throttling (429): all of them are repeated, and "
        "repeating at once is what a throttled vault must not get.",
        "Leave the retrying to safekv, whose calls wait for their turn and end by timeout=; or catch "
        "safekv.errors.VaultThrottled, which has retry_in.",
        url=_THROTTLING,
    ),
    Rule(
        "SKV301",
        "old-azure-package",
        "Older versions can hand one caller's secret or token to another when a client is shared, and the oldest do "
        "not discover the vault's tenant (AKV10032).",
        "Raise the minimum; safekv refuses older ones when it is imported.",
        url=INVALID_ISSUER,
    ),
)
RULES = {rule.id: rule for rule in _ALL}

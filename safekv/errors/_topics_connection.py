"""What goes wrong on the way: names, connections, certificates, answers that are none."""

from __future__ import annotations

from safekv.errors._topic import LEARN, OTHER_ERRORS, Topic

CONNECTION = (
    Topic(
        "vault-not-found",
        "VaultNotFound",
        "DNS knows no such vault",
        "The name {host} does not resolve: there is no vault of this name, it was purged, or this machine's DNS cannot "
        "see it.",
        "Check the spelling and the cloud (vault.azure.net, vault.usgovcloudapi.net, vault.azure.cn). A vault that was "
        "made just now takes half a minute to get its name; behind a private endpoint the network needs the zone "
        "{dns_zone}.",
        OTHER_ERRORS,
        ("az keyvault show --name {vault} --query properties.vaultUri", 'az keyvault list-deleted --query "[].name"'),
        transient=True,
        stale=True,
    ),
    Topic(
        "cannot-connect",
        "CannotConnect",
        "The connection could not be made",
        "{host} resolves, but nothing answers on its port 443. Nothing was sent.",
        "Check proxies (HTTPS_PROXY), outgoing firewalls and routes to the vault's address.",
        f"{LEARN}/private-link-diagnostics",
        transient=True,
        stale=True,
    ),
    Topic(
        "untrusted-certificate",
        "UntrustedCertificate",
        "The server's certificate is not trusted",
        "The TLS certificate that answered is not issued by an authority that this machine trusts, or is for another "
        "name. Nothing was sent.",
        "A proxy that opens TLS has its own authority: give its file as connection_verify= or REQUESTS_CA_BUNDLE. "
        "Otherwise take it for an attack.",
        OTHER_ERRORS,
    ),
    Topic(
        "insecure",
        "InsecureConnection",
        "Bearer token authentication is not permitted for non-TLS URLs",
        "Tokens and secrets travel over https:// only. Nothing was sent.",
        "Write the vault's URL with https://.",
        OTHER_ERRORS,
    ),
    Topic(
        "connection-lost",
        "ConnectionLost",
        "The connection broke",
        "The connection ended before the answer was there. Whether the request was carried out is unknown.",
        "Repeat reads. Before repeating a write, see whether it was done.",
        OTHER_ERRORS,
        transient=True,
        stale=True,
        repeat=False,
    ),
    Topic(
        "no-answer",
        "AnswerTimeout",
        "No answer in time",
        "The request was sent and no answer came in time. Whether it was carried out is unknown.",
        "Give the call more time (timeout=, read_timeout=). Before repeating a write, see whether it was done.",
        OTHER_ERRORS,
        transient=True,
        stale=True,
        repeat=False,
    ),
    Topic(
        "deadline",
        "DeadlineExceeded",
        "The call's time was over before it was sent",
        "The call waited for its turn, or for a token, until its timeout was over. Nothing was sent.",
        "Give the call more time (timeout=, in seconds) or make fewer at once.",
        OTHER_ERRORS,
        transient=True,
        stale=True,
    ),
    Topic(
        "ambiguous-write",
        "AmbiguousWrite",
        "A write whose outcome is unknown",
        "The connection broke, or the service failed, after the write was sent. Repeating it could do it twice, so "
        "safekv does not.",
        "Read what is there, then decide.",
        OTHER_ERRORS,
        repeat=False,
    ),
    Topic(
        "incomplete-answer",
        "IncompleteAnswer",
        "Half an answer",
        "The connection ended in the middle of the answer. The request was carried out, or refused; which is unknown.",
        "Repeat reads. Before repeating a write, see whether it was done.",
        OTHER_ERRORS,
        transient=True,
        stale=True,
        repeat=False,
    ),
    Topic(
        "unreadable-answer",
        "UnreadableAnswer",
        "The answer is not Key Vault's",
        "What answered sent no JSON: a sign-in page or an error page of a proxy or gateway. Whether the "
        "request reached the vault is unknown.",
        "See what stands between this machine and {host}: proxies (HTTPS_PROXY), gateways, captive portals.",
        OTHER_ERRORS,
        repeat=False,
    ),
    Topic(
        "event-loop-closed",
        "EventLoopClosed",
        "Event loop is closed",
        "The event loop in which this was started has ended.",
        "Await calls within the loop that they were started in. A client of safekv works in several loops in turn; a "
        "transport or session of your own does not.",
        OTHER_ERRORS,
    ),
)

"""What Microsoft's guide on access policies is asked that is no error: answers, and the topics that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

from safekv.errors._topic import HTTP_429, LEARN, PERMISSION_MODELS, REDEPLOY, WHO_CAN_READ

_POLICY_GUIDE = f"{LEARN}/troubleshooting-access-issues"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its answer, and further things to do; commands begin with ``az ``. ``see``: pages in ``docs/``."""

    slug: str
    title: str
    answer: str
    guide: str
    remedies: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    see: tuple[str, ...] = ()


QUESTIONS = (
    Question(
        "who-accesses-the-vault",
        "How can I identify how and when key vaults are accessed?",
        "Turn on the vault's diagnostic setting AuditEvent. Each entry names the operation, the caller, the address, "
        "the status, the client's User-Agent (safekv/…, after user_agent= of yours) and the request: the request_id of "
        "errors and events is the log's CorrelationId. docs/monitoring.md has the query.",
        f"{LEARN}/logging",
        (
            "az monitor diagnostic-settings create --name audit --resource {vault_id} --workspace {workspace} "
            '--logs \'[{"category":"AuditEvent","enabled":true}]\'',
        ),
    ),
    Question(
        "vault-metrics",
        "How can I monitor vault availability, service latency periods or other performance metrics for key vault?",
        "The vault's metrics Availability, SaturationShoebox, ServiceApiLatency and ServiceApiResult say it, by the "
        "minute; an alert on ServiceApiResult with StatusCode 429 tells of throttling. What the application sees of "
        "it, safekv.observability measures, and safekv top shows.",
        f"{LEARN}/alert",
        (),
        ("throttled",),
    ),
    Question(
        "access-per-object",
        "How can I assign access control per key vault object?",
        "With roles (Azure RBAC), an assignment's scope can be one secret, key or certificate. Access policies are for "
        "the whole vault. Microsoft advises one vault for each application and environment rather than scopes for "
        "objects.",
        f"{LEARN}/rbac-guide",
        (
            "az role assignment create --role 'Key Vault Secrets User' --assignee {oid} "
            "--scope {vault_id}/secrets/{name}",
        ),
        ("missing-role",),
        (PERMISSION_MODELS,),
    ),
    Question(
        "how-to-authenticate",
        "How can I provide key vault authenticate using access control policy?",
        "In Azure, give the application a managed identity, and that a policy or a role. Elsewhere, register a service "
        "principal and set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET. DefaultAzureCredential finds "
        "either; leaving credential= out means one for the whole process.",
        f"{LEARN}/authentication",
        (),
        ("credential-unavailable", "missing-policy"),
    ),
    Question(
        "group-access",
        "How can I give the AD group access to the key vault?",
        "Give the group's object id a policy or a role, as for a user. Members get it with their next token: a managed "
        "identity keeps its token for up to a day (the guide's older text: 8 hours), and that cannot be hurried.",
        f"{LEARN}/assign-access-policy",
        ("az keyvault set-policy --name {vault} --object-id {group_id} --secret-permissions get list",),
        ("missing-policy", "missing-role"),
        (WHO_CAN_READ,),
    ),
    Question(
        "redeploy-keeps-policies",
        "How can I redeploy Key Vault with ARM template without deleting existing access policies?",
        "A deployment replaces all access policies by those of the template; there is no incremental mode. Read the "
        "present ones and put them into the template (`safekv access merge` does it, and `safekv access diff` says "
        "beforehand whom a deployment would take access from), add policies by the child resource accessPolicies/add, "
        "or use roles, which a deployment of the vault leaves alone.",
        f"{_POLICY_GUIDE}#how-can-i-redeploy-key-vault-with-arm-template-without-deleting-existing-access-policies",
        ("az keyvault show --name {vault} --query properties.accessPolicies",),
        ("missing-policy",),
        (REDEPLOY, PERMISSION_MODELS),
    ),
    Question(
        "steps-by-error",
        "Recommended troubleshooting steps for the following error types",
        "`safekv explain` takes an error, a code or a traceback, and says what it means and what to do.",
        f"{LEARN}/rest-error-codes",
        (),
        ("authentication", "access-denied", "throttled"),
    ),
    Question(
        "throttling-practices",
        "What are the best practices I should implement when key vault is getting throttled?",
        "One client for each vault, one credential, configuration that is no secret in App Configuration, local "
        "encryption with a wrapped key, and waiting longer after each 429. safekv sees to the first two within a "
        "process, and waits.",
        HTTP_429,
        (f"{LEARN}/overview-throttling#how-to-throttle-your-app-in-response-to-service-limits",),
        ("throttled",),
    ),
)

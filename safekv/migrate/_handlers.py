"""Which functions a framework calls for each request, message or task."""

from __future__ import annotations

import ast

from safekv.migrate._code import Code, Function

REQUEST, MESSAGE, TASK = "a request handler", "an Azure function", "a task"

_ROUTES = frozenset({"route", "api_route", "websocket", "websocket_route"})
_VERBS = frozenset({"get", "post", "put", "delete", "patch", "head", "options"})
_HOOKS = frozenset(
    {"before_request", "after_request", "teardown_request", "before_app_request", "middleware", "errorhandler"}
)
_REQUESTS = frozenset(
    {
        "aiohttp.web.Request",
        "django.http.HttpRequest",
        "fastapi.Request",
        "fastapi.requests.Request",
        "rest_framework.request.Request",
        "starlette.requests.Request",
    }
)
_VIEWS = ("View", "ViewSet", "Resource", "HTTPEndpoint")


def handler(code: Code, function: Function) -> str | None:
    """What kind of handler this is; None if it is none."""
    by_decorator = (_by_decorator(code, each) for each in function.decorator_list)
    return next(filter(None, by_decorator), None) or _by_parameters(code, function) or _by_class(code, function)


def kept_by_decorator(function: Function) -> bool:
    """Whether a decorator keeps what it returns: lru_cache, cached_property, st.cache_resource."""
    return any("cache" in name or "singleton" in name for name in map(last_name, function.decorator_list))


def dependencies(code: Code) -> set[str]:
    """The functions that FastAPI calls for each request: ``Depends(get_client)``."""
    return {
        call.args[0].id
        for call in code.calls()
        if last_name(call.func) == "Depends" and call.args and isinstance(call.args[0], ast.Name)
    }


def _by_decorator(code: Code, decorator: ast.expr) -> str | None:
    name = last_name(decorator)
    call = decorator if isinstance(decorator, ast.Call) else None
    if name == "api_view":
        return REQUEST
    if name == "shared_task" or (name == "task" and code.imports("celery")):
        return TASK
    if not isinstance(call.func if call else decorator, ast.Attribute):
        return None
    if name in _HOOKS or (call and (name in _ROUTES or (name in _VERBS and _has_path(call)))):
        return REQUEST
    return MESSAGE if call and name.endswith("_trigger") else None


def _has_path(call: ast.Call) -> bool:
    """``@app.get("/items")``, and not ``@cache.get("items")`` or ``@mock.patch("a.b")``."""
    given = call.args[:1] or [each.value for each in call.keywords if each.arg == "path"]
    return any(isinstance(each, ast.Constant) and str(each.value)[:1] in ("/", "") for each in given)


def _by_parameters(code: Code, function: Function) -> str | None:
    given = [*function.args.posonlyargs, *function.args.args]
    for arg in given:
        found = code.resolve(arg.annotation, code.scope(function)) if arg.annotation else None
        if found and found.sdk in _REQUESTS:
            return REQUEST
        if found and found.sdk.startswith("azure.functions.") and not found.sdk.endswith(".Context"):
            return MESSAGE
    own = [arg.arg for arg in given if arg.arg != "self"]
    return REQUEST if own[:1] == ["request"] and code.imports("django", "rest_framework") else None


def _by_class(code: Code, function: Function) -> str | None:
    """A method ``get`` or ``post`` of a class-based view."""
    around = code.parent(function)
    if not isinstance(around, ast.ClassDef) or function.name not in _VERBS | {"dispatch"}:
        return None
    return REQUEST if any(last_name(base).endswith(_VIEWS) for base in around.bases) else None


def last_name(node: ast.expr) -> str:
    """``get`` of ``@app.get("/")``."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

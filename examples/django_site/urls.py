"""One page: settings as they were at the start, and a key as it is now."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from safekv.secrets import SecretClient

client = SecretClient()  # survives the fork of a server's workers


def index(request: HttpRequest) -> JsonResponse:
    key = client.get_secret("partner-api-key")  # from the cache, which reads it again before it is too old
    return JsonResponse(
        {"greeting": settings.GREETING, "mail": settings.EMAIL_HOST, "key": key.properties.version}
        | {"characters": len(key.value or ""), "signed": bool(settings.SECRET_KEY)}
    )


urlpatterns = [path("", index)]

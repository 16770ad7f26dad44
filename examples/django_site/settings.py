"""Settings of a Django site. All that is secret is read at once, or one error lists everything that is wrong."""

from safekv.integrations.django import Env

# The environment with these secrets in it; a variable like GREETING=kv://my-vault/greeting becomes its secret, too.
env = Env({"SECRET_KEY": "django-secret-key", "EMAIL_HOST_PASSWORD": "smtp-password"})

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])
ROOT_URLCONF = "urls"
DATABASES = {"default": env.database("DATABASE_URL", {})}
EMAIL_HOST = "smtp.example.com"
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
GREETING = env("GREETING", "hello")
DEFAULT_EXCEPTION_REPORTER_FILTER = "safekv.integrations.django.ExceptionReporterFilter"

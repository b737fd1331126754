"""Settings, all from the environment; each name is explained in ``docs/operating.md``.

With an empty environment this is the embedded installation: SQLite, an
embedded index, Celery over files, everything under ``var/``.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.prefix = ""
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

TESTING = "pytest" in sys.modules
VAR_DIR = Path(env("IMMERSIVE_VAR", default=str(BASE_DIR / "var")))
os.umask(0o077)  # what people say and search stands in files here: their installation's own account reads them
VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

DEVELOPMENT = env.bool("DEVELOPMENT", default=False)
"""Whether demo people may exist and error pages may show code. Never set where real people work."""
DEBUG = DEVELOPMENT and env.bool("DEBUG", default=False)


def own_secret_key() -> str:
    """The key of this installation, made at its first start and readable by its owner only."""
    path = VAR_DIR / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(64)
        file.write(key)
    return key


SECRET_KEY = env("SECRET_KEY", default="") or own_secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
"""Whether people reach the site by https only (a proxy in front says so in X-Forwarded-Proto)."""
PROXIES = int(env("PROXIES", default="") or HTTPS)
"""How many proxies of ours stand in front: the address that sign-ins are counted by is what the outermost one saw."""

INSTALLED_APPS = [
    "experts",
    "knowledge",
    "immersive.work",
    "immersive",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "immersive.middleware.health",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # it pads at random, so that a length tells little of a page
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "immersive.sign_in.SignInFirst",
    "immersive.middleware.own_clock",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "immersive.middleware.private_pages",
]

ROOT_URLCONF = "immersive.urls"
WSGI_APPLICATION = "immersive.wsgi.application"

LOADERS: list[Any] = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "immersive.context.page",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    LOADERS if DEBUG else [("django.template.loaders.cached.Loader", LOADERS)],
                )
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

# Database -------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'immersive.sqlite3'}")}
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # a file, as in use: threads may wait
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env("CACHE_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1.0},
        }
        if CACHE_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# People ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "experts.Person"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
if DEVELOPMENT:
    AUTHENTICATION_BACKENDS += ["immersive.demo.signin.DemoBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Security -------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Words, time, files -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder", "immersive.static.UsedFiles"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if TESTING
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# Mail -------------------------------------------------------------------------------------------------------------

EMAIL_URL = env("EMAIL_URL", default="")
"""Where mail goes, as ``smtp+tls://user:password@mail.example.com:587``; without it none is sent."""
vars().update(env.email_url_config(EMAIL_URL or (f"filemail:///{VAR_DIR / 'mail'}" if DEVELOPMENT else "dummymail://")))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="immersive@localhost")
ADDRESS_FILE = VAR_DIR / "address"  # `manage.py run` keeps there where it serves
SITE_URL = env("SITE_URL", default=ADDRESS_FILE.read_text() if ADDRESS_FILE.is_file() else "http://127.0.0.1:8000")
"""Where people reach the portal: mail has no other way to know where its links lead."""

# Jobs -------------------------------------------------------------------------------------------------------------

BROKER_URL = env("BROKER_URL", default="filesystem://localhost")
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_ROUTES = {
    "knowledge.jobs.index_changes": {"queue": "index"},  # one process consumes it: an index has one writer
    "knowledge.jobs.tidy_index": {"queue": "index"},
    "knowledge.jobs.embed": {"queue": "meaning"},  # a process of its own, which waits for all others
    "knowledge.jobs.*": {"queue": "work"},
    "experts.jobs.*": {"queue": "work"},
    "immersive.work.jobs.*": {"queue": "work"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
if BROKER_URL.startswith("filesystem"):
    BROKER_DIR = VAR_DIR / "broker"
    for folder in ("queue", "done", "control"):
        (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "processed_folder": str(BROKER_DIR / "done"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 5,
        "max_retries": 0,
        "visibility_timeout": 2 * 3600,
    }
CELERY_BEAT_SCHEDULE = {
    name: {"task": job, "schedule": 10.0, "options": {"expires": 10}}  # late ones are dropped
    for name, job in {
        "sweep": "knowledge.jobs.sweep",
        "sweep-index": "knowledge.jobs.index_changes",
        "sweep-meaning": "knowledge.jobs.embed",
        "sweep-work": "immersive.work.jobs.sweep",
        "sweep-imports": "experts.jobs.sweep_imports",
    }.items()
} | {
    "tidy-index": {"task": "knowledge.jobs.tidy_index", "schedule": 3600.0},
    "look-again": {"task": "knowledge.jobs.look_again", "schedule": 60.0, "options": {"expires": 60}},
    "gather-gaps": {"task": "knowledge.jobs.gather_gaps", "schedule": 3600.0},
    "pass-on": {"task": "experts.jobs.pass_on", "schedule": 60.0, "options": {"expires": 60}},
    "show-later": {"task": "experts.jobs.show_later", "schedule": 60.0, "options": {"expires": 60}},
    "ask-again": {"task": "experts.jobs.ask_again", "schedule": 3600.0},
    "match-mentors": {"task": "experts.jobs.match_mentors", "schedule": 3600.0, "options": {"expires": 3600}},
    "send-invitations": {"task": "experts.jobs.send_invitations", "schedule": 60.0, "options": {"expires": 60}},
    "topic-news": {"task": "experts.jobs.tell_topic_news", "schedule": 300.0, "options": {"expires": 300}},
    "forget-notices": {"task": "experts.jobs.forget_notices", "schedule": 3600.0},
    "forget-proposals": {"task": "experts.jobs.forget_proposals", "schedule": 3600.0},
    "ask-how-it-went": {"task": "immersive.work.jobs.ask_how_it_went", "schedule": 3600.0},
    "ask-about-experiments": {"task": "immersive.work.jobs.ask_about_experiments", "schedule": 3600.0},
    "forget-advice": {"task": "immersive.work.jobs.forget_advice", "schedule": 3600.0},
    "publish-records": {"task": "immersive.work.jobs.publish_records", "schedule": 3600.0},
    "send-digests": {"task": "experts.jobs.send_digests", "schedule": 60.0, "options": {"expires": 60}},
    "weigh-use": {"task": "knowledge.jobs.weigh", "schedule": 60.0, "options": {"expires": 60}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")

# Search and sources -----------------------------------------------------------------------------------------------

SEARCH_ENGINE = env("SEARCH_ENGINE", default="tantivy")
INDEX_DIR = Path(env("INDEX_DIR", default=str(VAR_DIR / "index")))
SEARCH_ENGINES = {
    "tantivy": {"ENGINE": "knowledge.index.tantivy_engine.TantivyEngine"},
    "whoosh": {"ENGINE": "knowledge.index.whoosh_engine.WhooshEngine"},
    "opensearch": {
        "ENGINE": "knowledge.index.opensearch_engine.OpenSearchEngine",
        "addresses": env.list("OPENSEARCH_URL", default=["http://127.0.0.1:9200"]),
        "user": env("OPENSEARCH_USER", default=""),
        "password": env("OPENSEARCH_PASSWORD", default=""),
        "ca": env("OPENSEARCH_CA", default=""),
        "prefix": env("OPENSEARCH_PREFIX", default="immersive"),
        "shards": env.int("OPENSEARCH_SHARDS", default=1),
    },
}
MEANING = env.bool("MEANING", default=True)
"""Whether to search by meaning too, where there is a model for it."""
MODEL_DIR = VAR_DIR / "model"
MEANING_MODEL = env("MEANING_MODEL", default="")
"""A folder with another model (``model.onnx``, ``tokenizer.json``) instead of the one that is made in MODEL_DIR."""
MEANING_THREADS = env.int("MEANING_THREADS", default=max(1, (os.cpu_count() or 2) // 2))
EMBEDDINGS_URL = env("EMBEDDINGS_URL", default="")
"""A service that answers as OpenAI's embeddings do, instead of a model on this machine."""
EMBEDDINGS_MODEL = env("EMBEDDINGS_MODEL", default="")
EMBEDDINGS_KEY = env("EMBEDDINGS_KEY", default="")
IMMERSIVE_CONNECTORS = {
    "folder": "knowledge.connectors.folder.FolderConnector",
    "git": "knowledge.connectors.git.GitConnector",
    "web": "knowledge.connectors.web.WebConnector",
    "feed": "knowledge.connectors.feed.FeedConnector",
    "catalogue": "knowledge.connectors.catalogue.CatalogueConnector",
    "people": "experts.connector.PeopleConnector",
    "answers": "experts.asking.answers.AnswersConnector",
    "lessons": "immersive.work.lessons.connector.LessonsConnector",
}
FOLDER_ROOTS = [Path(path) for path in env.list("FOLDER_ROOTS", default=[])]
"""Folders that the folder, catalogue and git connectors may read beneath."""
if DEVELOPMENT:
    FOLDER_ROOTS += [BASE_DIR / "immersive/demo/company", VAR_DIR / "demo"]
GIT_SCHEMES = env.list("GIT_SCHEMES", default=["https"])
FETCH_USER_AGENT = env("FETCH_USER_AGENT", default="ImmersiveBot")
FETCH_ALLOW = env.list("FETCH_ALLOW", default=[])
"""Networks in CIDR notation that may be fetched from although they are private (an intranet's, say)."""
LIVE_HOSTS = env.list("LIVE_HOSTS", default=[])
"""Hosts outside that curators may declare as services to be asked while somebody searches."""
LIVE_SOURCES: list[dict[str, Any]] = env.json("LIVE_SOURCES", default=[])
"""Such services as the operator declares them; their hosts need not stand in LIVE_HOSTS."""
LIVE_AT_ONCE = env.int("LIVE_AT_ONCE", default=2)
"""Threads of each web process, of four, that may wait for services outside at one moment."""

# API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["immersive.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "immersive.api.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Immersive",
    "DESCRIPTION": "One search over a company's pages, tools, courses and people; tasks and how they went.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "immersive.api.say_refusals"],
    "ENUM_NAME_OVERRIDES": {
        "Kind": "knowledge.documents.KINDS",
        "Suggested": "knowledge.api.SUGGESTED",
        "HowItWent": "immersive.work.api.tasks.RESULTS",
        "Reach": "immersive.work.lessons.rows.Reach",
        "LessonKind": "immersive.work.lessons.rows.Lesson.Kind",
        "ExperimentResult": "immersive.work.lessons.rows.Experiment.Result",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"no_tokens": {"()": "immersive.logs.NoTokens"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_tokens"]}},
    "loggers": {  # those that say addresses
        "django.request": {"filters": ["no_tokens"]},
        "django.security.csrf": {"filters": ["no_tokens"]},
        "django.server": {"filters": ["no_tokens"], "propagate": True},
        "httpx2": {"level": "WARNING"},  # a line for each question to the index is no news
    },
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="WARNING" if TESTING else "INFO")},
}

"""Every setting, read from the environment once; a missing or malformed one is reported by name."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy

from config.logs import logging_config
from outreach.domain import defaults
from outreach.domain.dialing_mode import DialingMode, mode_problems
from outreach.domain.model_budget import Limits, Plan, own_limits

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if not env.bool("OUTREACH_IGNORE_DOTENV", default=False):
    environ.Env.read_env(BASE_DIR / ".env")

_problems: list[str] = []


def _required(name: str, why: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        _problems.append(f"{name} is missing: {why}")
    return value


def _needed_to_dial(name: str, why: str) -> str:
    """Read what is needed only where a phone can ring: in test mode without numbers, none can."""
    if DIALING is DialingMode.TEST and not TEST_NUMBERS:
        return os.environ.get(name, "").strip()
    return _required(name, why)


def _parsed(name: str, read: Any, default: Any, expected: str) -> Any:
    if not os.environ.get(name, "").strip():
        return default
    try:
        return read(name)
    except (ValueError, TypeError, ImproperlyConfigured):
        _problems.append(f"{name} is malformed: expected {expected}.")
        return default


def _positive(name: str) -> int:
    number: int = env.int(name)
    if number < 1:
        raise ValueError(name)
    return number


# --- Which phones may ring ---------------------------------------------------------------------
DIALING: DialingMode = _parsed(
    "DIALING", lambda n: DialingMode(env.str(n)), DialingMode.REHEARSAL, "rehearsal, test or live"
)
TEST_NUMBERS: list[str] = env.list("TEST_NUMBERS", default=[])

# --- Django ------------------------------------------------------------------------------------
SECRET_KEY = _required("DJANGO_SECRET_KEY", "a long random string that signs sessions.")
DEBUG = _parsed("DJANGO_DEBUG", env.bool, default=False, expected="true or false")
#: Where people open the pages; its host may be opened without being named in ALLOWED_HOSTS too.
ADMIN_BASE_URL = env.str("ADMIN_BASE_URL", default="")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
ALLOWED_HOSTS += [host for host in [urlsplit(ADMIN_BASE_URL).hostname] if host]
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

#: The hooks process answers Twilio, LiveKit and Alex on a port of its own, so that a tunnel never
#: publishes the admin. `config/hooks.py` sets it; it is not an operator's setting.
SERVES_HOOKS = os.environ.get("OUTREACH_SERVES") == "hooks"
#: Set by `config/asgi.py`: the pages run on an event loop, where every thread would open a connection.
SERVES_PAGES = os.environ.get("OUTREACH_SERVES") == "pages"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_structlog",
    "health_check",
    "ninja",  # its OpenAPI page takes Swagger from our static files then, not from a CDN
    "simple_history",
    "outreach",
]
_HOOKS_MIDDLEWARE = ["django_structlog.middlewares.RequestMiddleware"]
_PAGES_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "outreach.desk.policy.PagesCSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "outreach.desk.visitors.IdleSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "outreach.desk.own_time.own_time_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
MIDDLEWARE = _HOOKS_MIDDLEWARE if SERVES_HOOKS else _PAGES_MIDDLEWARE
ROOT_URLCONF = "config.hooks_urls" if SERVES_HOOKS else "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
#: Whoever asked for no page for so long logs in again.
SESSION_COOKIE_AGE = 60 * _parsed("SESSION_IDLE_MINUTES", env.int, 480, "a whole number of minutes")
#: How long is kept who read or exported what, and who logged in from where.
ACCESS_DAYS = _parsed("ACCESS_DAYS", _positive, defaults.ACCESS_DAYS, "a whole number of days, at least 1")
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 if SERVES_HOOKS else 2_621_440

_https = ADMIN_BASE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
#: Asked by supervisors on this machine, who follow no redirect.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https

#: Outside the admin; inside it, `outreach.desk.policy` says what its look needs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

#: Failed logins, counted per name and address together: neither can lock somebody else out.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
#: Trying on while locked out makes it no longer, so the page can say when it ends.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "outreach.admin.lockouts.locked_out"
AXES_CLIENT_IP_CALLABLE = "outreach.desk.visitors.client_address"
#: Proxies in front of the pages, each of which appends to X-Forwarded-For.
AXES_IPWARE_PROXY_COUNT = _parsed("AXES_IPWARE_PROXY_COUNT", env.int, 0, "a whole number of proxies")
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# --- PostgreSQL --------------------------------------------------------------------------------
_required("DATABASE_URL", "postgres://user:password@host:5432/name; `make up` starts one when it is not set.")
_database: dict[str, Any] = {}
if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
    _database = _parsed("DATABASE_URL", env.db_url, {}, "postgres://user:password@host:5432/name")
elif os.environ.get("DATABASE_URL", "").strip():
    _problems.append("DATABASE_URL is malformed: expected postgres://user:password@host:5432/name.")
if _database:
    _database |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 600}
    _options = _database.setdefault("OPTIONS", {})
    # Twilio waits 15 s for an answer: a server that does not answer must fail well before.
    _options["connect_timeout"] = 5
    _options["options"] = (
        "-c idle_in_transaction_session_timeout=60s -c statement_timeout=60s -c lock_timeout=15s"
    )
    if SERVES_PAGES:
        _database["CONN_MAX_AGE"] = 0
        _options["pool"] = {"min_size": 1, "max_size": 10, "timeout": 10}
DATABASES = {"default": _database}

# --- Uploaded lists ----------------------------------------------------------------------------
#: Where they lie until they are imported, and some days longer; the pages write it, the tasks read it.
IMPORTS_DIR = Path(env.str("IMPORTS_DIR", default=str(BASE_DIR / ".state" / "imports")))

# --- Redis, Celery -----------------------------------------------------------------------------
REDIS_URL = _required("REDIS_URL", "redis://host:6379/0; `make up` starts one when it is not set.")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "ops"
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
#: Celery closes the connection around every task otherwise: half the tasks a second. Only together
#: with CONN_HEALTH_CHECKS and the task_prerun receiver in `config/celery.py`.
CELERY_DB_REUSE_MAX = 1000
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
#: Beat now and then sleeps this long though a tick is due; a dial tick every second cannot wait five.
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- The outside world -------------------------------------------------------------------------
PUBLIC_BASE_URL = _needed_to_dial(
    "PUBLIC_BASE_URL", "the address under which Twilio and LiveKit reach /hooks/."
).rstrip("/")
TWILIO_ACCOUNT_SID = _needed_to_dial("TWILIO_ACCOUNT_SID", "from the Twilio console.")
TWILIO_AUTH_TOKEN = _needed_to_dial(
    "TWILIO_AUTH_TOKEN", "signs every webhook; without it none can be trusted."
)
TWILIO_API_URL = env.str("TWILIO_API_URL", default="https://api.twilio.com")
LIVEKIT_URL = _required("LIVEKIT_URL", "wss://… of your LiveKit server.")
LIVEKIT_API_KEY = _required("LIVEKIT_API_KEY", "from your LiveKit project.")
LIVEKIT_API_SECRET = _required("LIVEKIT_API_SECRET", "from your LiveKit project.")
LIVEKIT_SIP_URI = _needed_to_dial(
    "LIVEKIT_SIP_URI", "sip:… of your LiveKit project; it cannot be derived from LIVEKIT_URL."
)
SIP_USERNAME = _needed_to_dial("SIP_USERNAME", "the user of the inbound trunk's digest authentication.")
SIP_PASSWORD = _needed_to_dial("SIP_PASSWORD", "the password of the inbound trunk's digest authentication.")
AGENT_SECRET = _required("AGENT_SECRET", "shared with the agent workers; signs what Alex reports.")
#: The hooks process as our own processes reach it.
HOOKS_URL = env.str("HOOKS_URL", default="http://127.0.0.1:8001").rstrip("/")
AGENT_NAME = env.str("AGENT_NAME", default="alex")
GROQ_API_KEY = env.str("GROQ_API_KEY", default="")
GROQ_BASE_URL = env.str("GROQ_BASE_URL", default="https://api.groq.com/openai/v1")
#: The models and the voice that Alex uses; the agent workers read the same variables.
ALEX_LLM = env.str("ALEX_LLM", default=defaults.LLM_MODEL)
ALEX_STT = env.str("ALEX_STT", default=defaults.STT_MODEL)
ALEX_TTS = env.str("ALEX_TTS", default=defaults.TTS_MODEL)
ALEX_VOICE = env.str("ALEX_VOICE", default=defaults.TTS_VOICE)
#: The plan whose published limits hold where an answer's headers tell none; None: the headers tell the plan.
GROQ_PLAN: Plan | None = _parsed("GROQ_PLAN", lambda n: Plan(env.str(n)), None, "free or developer")
#: Limits of the account's own, by model.
GROQ_LIMITS: dict[str, Limits] = _parsed(
    "GROQ_LIMITS",
    lambda n: own_limits(json.loads(env.str(n))),
    {},
    'JSON such as {"openai/gpt-oss-120b": {"tokens_a_minute": 500000}}',
)
#: Calls that the models' rate limits carry at once; 0: as many as `manage.py doctor` last found.
MODEL_BUDGET = _parsed("MODEL_BUDGET", env.int, 0, "a whole number")

# --- What goes out by itself -------------------------------------------------------------------
#: Outgoing webhooks may be posted to addresses inside our own networks.
HOOKS_TO_PRIVATE_ADDRESSES = _parsed(
    "HOOKS_TO_PRIVATE_ADDRESSES", env.bool, default=False, expected="true or false"
)
#: Who is told when something needs a person: by mail, and in one channel of a chat.
NOTICE_EMAILS: list[str] = env.list("NOTICE_EMAILS", default=[])
NOTICE_WEBHOOK_URL = env.str("NOTICE_WEBHOOK_URL", default="")
#: The mail server; without one, no mail is sent.
_mail: dict[str, Any] = _parsed("EMAIL_URL", env.email_url, {}, "smtp+tls://user:password@host:587")
EMAIL_HOST = _mail.get("EMAIL_HOST") or ""
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="outreach@localhost")

_problems += mode_problems(
    DIALING,
    {
        "TWILIO_API_URL": TWILIO_API_URL,
        "LIVEKIT_URL": LIVEKIT_URL,
        "LIVEKIT_SIP_URI": LIVEKIT_SIP_URI,
        "GROQ_BASE_URL": GROQ_BASE_URL,
        "PUBLIC_BASE_URL": PUBLIC_BASE_URL,
    },
)

# --- Pages -------------------------------------------------------------------------------------
FLOWER_URL = env.str("FLOWER_URL", default="")
MODE_LABEL = DIALING.upper()
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Outreach",
    "SITE_HEADER": "Outreach",
    "SITE_SYMBOL": "call",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("outreach/favicon.svg")},
    ],
    "STYLES": [lambda _: static("outreach/frame.css")],
    "SCRIPTS": [lambda _: static("outreach/frame.js")],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "outreach.admin.site.environment_badge",
    "DASHBOARD_CALLBACK": "outreach.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "outreach.admin.site.navigation"},
    "ACCOUNT": {
        "navigation": [{"title": "My settings", "link": reverse_lazy("admin:outreach_preference_mine")}]
    },
}

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logging_config(level=LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = True

if _problems:
    raise ImproperlyConfigured(
        "The settings need attention (see .env.example for each):\n  - " + "\n  - ".join(_problems)
    )

"""Django settings. Everything that differs between installations comes from the environment."""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from huika.kit import postgres, quiet

ROOT = Path(__file__).resolve().parents[3]
STATE = Path(os.environ.get("HUIKA_STATE", ROOT / "var" / "state"))

SETTING = os.environ.get("HUIKA_SETTING", "production")  # demo | production
MODE = os.environ.get("HUIKA_MODE", "market")  # own | market
HOLD_AT = os.environ.get("HUIKA_HOLD_AT", "acceptance")  # acceptance | dispatch: when recyclers' money is held
if HOLD_AT not in ("acceptance", "dispatch"):
    raise ValueError(f"HUIKA_HOLD_AT is acceptance or dispatch, not {HOLD_AT}")
DEBUG = False
SECRET_KEY = os.environ.get("HUIKA_SECRET_KEY") or (secrets.token_urlsafe(48) if SETTING == "demo" else "")

# Where people reach it. Pictures that people sent and the vault have origins of their own; cookies ignore ports, so
# their names carry the site's.
SITE_URL = os.environ.get("HUIKA_SITE_URL", "http://localhost:8000")
FILES_ORIGIN = os.environ.get("HUIKA_FILES_ORIGIN", "http://files.localhost:8000")
VAULT_ORIGIN = os.environ.get("HUIKA_VAULT_ORIGIN", "http://vault.localhost:8001")
_site = urlsplit(SITE_URL)
ALLOWED_HOSTS = [
    *os.environ.get("HUIKA_HOSTS", "localhost,127.0.0.1,testserver").split(","),
    *(str(urlsplit(u).hostname) for u in (SITE_URL, FILES_ORIGIN)),
]
TELEPHONE = os.environ.get("HUIKA_TELEPHONE", "4000000000")
SECURE = _site.scheme == "https"
_prefix = ("__Host-" if SECURE else "") + f"hk{_site.port or ''}-"
SELLER_COOKIE_NAME = _prefix + "seller"
DEVICE_COOKIE_NAME = _prefix + "device"
SESSION_COOKIE_NAME = _prefix + "staff"
CSRF_COOKIE_NAME = _prefix + "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
CSRF_TRUSTED_ORIGINS = [SITE_URL]  # a proxy ends TLS: what it passes on looks like plain http
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if SECURE else 0
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "huika.faces.pages.middleware.stale_form"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "huika.kit.apps.KitConfig",
    "huika.domain.catalog.apps.CatalogConfig",
    "huika.domain.parties.apps.PartiesConfig",
    "huika.domain.ledger.apps.LedgerConfig",
    "huika.domain.vault.apps.VaultConfig",
    "huika.domain.evidence.apps.EvidenceConfig",
    "huika.domain.market.apps.MarketConfig",
    "huika.domain.field.apps.FieldConfig",
    "huika.domain.inspection.apps.InspectionConfig",
    "huika.domain.settlement.apps.SettlementConfig",
    "huika.domain.stock.apps.StockConfig",
    "huika.domain.risk.apps.RiskConfig",
    "huika.domain.cover.apps.CoverConfig",
    "huika.domain.tax.apps.TaxConfig",
    "huika.domain.trade.apps.TradeConfig",
    "huika.faces.pages.apps.PagesConfig",
    "huika.faces.seller.apps.SellerConfig",
    "huika.faces.courier.apps.CourierConfig",
    "huika.faces.desk.apps.DeskConfig",
    "huika.faces.market.apps.MarketConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "huika.faces.pages.middleware.Safety",
    "huika.faces.pages.middleware.Taste",
    "huika.faces.api.middleware.Problems",
    "huika.faces.api.middleware.BodyLimit",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "huika.faces.pages.middleware.RefusalPages",
]
ROOT_URLCONF = "huika.config.urls"
WSGI_APPLICATION = "huika.config.wsgi.application"
AUTH_USER_MODEL = "parties.User"

# How staff sign in (faces.desk.staff): passkeys by django-allauth, passwords by parties' own count and lock. No
# sign-up, no e-mail; allauth's rate limits live in one process, kit.rates counts for all.
AUTHENTICATION_BACKENDS = ["huika.faces.desk.staff.backend.Passwords"]
LOGIN_URL, LOGIN_REDIRECT_URL = "/staff/sign-in", "/staff/"
# How many stored comparisons an address may ask for in an hour; it may be a whole building's.
COMPARISONS_AN_HOUR = int(os.environ.get("HUIKA_COMPARISONS_AN_HOUR", "120"))
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("HUIKA_PROXIES", "0"))
ACCOUNT_ADAPTER = "huika.faces.desk.staff.adapters.Accounts"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
MFA_ADAPTER = "huika.faces.desk.staff.adapters.Passkeys"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "huika.faces.pages.who.context",
            ]
        },
    }
]

# Migrations run as the owner, everything else as the app role. Statements are bound and prepared on the server: most
# of a request's database time is planning otherwise.
_url = os.environ.get("HUIKA_OWNER_URL" if os.environ.get("HUIKA_DB_AS") == "owner" else "HUIKA_APP_URL")
_database = postgres.django_settings(_url or "postgresql:///huika")
_pool = os.environ.get("HUIKA_DB_POOL")
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": os.environ.get("HUIKA_DB_HEALTH_CHECKS", "1") == "1",
        "OPTIONS": {
            **_database["OPTIONS"],
            "server_side_binding": True,
            "prepare_threshold": 3,
            **({"pool": {"min_size": 1, "max_size": int(_pool), "timeout": 10}} if _pool else {}),
        },
    }
}
APP_ROLE = postgres.role_name(os.environ.get("HUIKA_APP_URL", ""))

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "zh-hans"
APPEND_SLASH = False
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("HUIKA_STATIC", ROOT / "var" / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "huika.faces.pages.static.Hashed"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 13_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 13_000_000
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# Counterparties and adapters: a port names a provider by its dotted path; the domain never imports it.
SANDBOX_URL = os.environ.get("HUIKA_SANDBOX_URL", "http://127.0.0.1:8010")
VAULT_URL = os.environ.get("HUIKA_VAULT_HTTP", "http://127.0.0.1:8001")
PUBLIC_URL = os.environ.get("HUIKA_PUBLIC_URL", "http://127.0.0.1:8000")
KEYS = Path(os.environ.get("HUIKA_KEYS", STATE / "keys"))
FILES = Path(os.environ.get("HUIKA_FILES", STATE / "files"))
LOG_FOLDER = Path(os.environ.get("HUIKA_LOG_FOLDER", STATE / "log"))
LOG_ORIGIN = os.environ.get("HUIKA_LOG_ORIGIN", "localhost/huika/log")
CUSTODIANS = {
    "bank": "huika.adapters.custodian.bank.BankDepository",
    "alipay": "huika.adapters.custodian.alipay.AlipayFundAuthorisation",
    "own": "huika.adapters.custodian.own.OwnAccount",
}
PORTS = {
    "sms": "huika.adapters.sms.sandbox.SandboxSms",
    "identity": "huika.adapters.identity.sandbox.SandboxIdentity",
    "custodian": CUSTODIANS[os.environ.get("HUIKA_CUSTODIAN") or ("own" if MODE == "own" else "bank")],
    "rail.wallet": "huika.adapters.rails.wechat.WechatTransfer",
    "rail.bank": "huika.adapters.rails.bank.BankTransfer",
    "rail.ecny": "huika.adapters.rails.ecny.EcnyTransfer",
    "rail.alipay": "huika.adapters.rails.alipay.AlipayTransfer",
    "vault": "huika.adapters.vault.client.VaultClient",
    "quotes": "huika.adapters.quotes.HttpQuotes",
}
# What WeChat lets this merchant transfer at once and to one payee a day, in fen; a new merchant's unless raised there.
WECHAT_LIMITS = {
    "single_fen": int(os.environ.get("HUIKA_WECHAT_SINGLE_FEN") or (20_000_00 if SETTING == "demo" else 200_00)),
    "day_fen": int(os.environ.get("HUIKA_WECHAT_DAY_FEN") or (500_000_00 if SETTING == "demo" else 2_000_00)),
}

# Limits of e-CNY wallets by tier: another file of the shape of adapters/rails/ecny_tiers.json, or that one.
ECNY_TIERS = os.environ.get("HUIKA_ECNY_TIERS", "")

# One JSON object a line; tracebacks without local variables, which would hold personal data.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        quiet.without_rows,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    logger_factory=structlog.WriteLoggerFactory(sys.stderr),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("HUIKA_LOG_LEVEL", "WARNING")},
}

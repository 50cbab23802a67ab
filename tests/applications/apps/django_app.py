"""Write a session as Django's cache sessions do, or read the one of a cookie.

Prints the key's id, the cookie and the user as JSON. Runs where Django is installed.
"""

import json
import os
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of a test",
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ["REDIS_URL"],
        }
    },
)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402

store = SessionStore(sys.argv[1] if len(sys.argv) > 1 else None)
if len(sys.argv) == 1:
    store["user"] = {"name": "Ñata 🐶", "visits": 1}
    store.save()
found = {"id": store.session_key, "cookie": store.session_key, "user": store.get("user")}
print(json.dumps(found))

"""Write a session as Flask-Session does, or read the one of a cookie.

Prints the key's id, the cookie and the user as JSON. Runs where Flask-Session is installed.
"""

import json
import os
import sys

import redis
from flask import Flask, session
from flask_session import Session

app = Flask("shop")
app.config.update(
    SECRET_KEY="of a test",
    SESSION_TYPE="redis",
    SESSION_REDIS=redis.Redis.from_url(os.environ["REDIS_URL"]),
)
Session(app)


@app.get("/write")
def write():
    """Set the user."""
    session["user"] = {"name": "Ñata 🐶", "visits": 1}
    return read()


@app.get("/read")
def read():
    """Return the user, None if the session is gone."""
    return {"id": session.sid, "cookie": session.sid, "user": session.get("user")}


client = app.test_client()
if len(sys.argv) > 1:
    client.set_cookie("session", sys.argv[1])
print(json.dumps(client.get("/read" if len(sys.argv) > 1 else "/write").json))

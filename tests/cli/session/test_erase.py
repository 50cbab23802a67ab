"""`pawsctl session erase` as a data protection officer runs it."""

import hashlib
import hmac
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from pawsctl.errors import ExitStatus
from tests import between
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import Server, store_session

VALUE = (SAMPLES / "greeting.json").read_bytes()
WHATS_APP = "whatsapp:+1 (234) 567-890"
PHONE = "+1234567890"


def _stored(server: Server) -> set[str]:
    return {key.decode() for key in server.client.scan_iter()}


def _looks(receipt: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {
        each["place"]: (each["found"], each["erased"], each["left"])
        for each in receipt["looked_at"]
    }


def test_all_that_can_be_reached_is_erased_and_told_in_a_receipt(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """The session, pictures under any spelling of the phone, lines of archives and kept edits."""
    client = any_server.client
    for phone in (PHONE, "+12345678901", "1234567890"):
        store_session(any_server, phone, VALUE)
    others = {"temp_image:+12345678901:1", f"temp_image:{PHONE}", "temp_image::1", "other:key"}
    for key in (f"temp_image:{WHATS_APP}:1704067200000", f"temp_image:{PHONE}:x", *others):
        client.set(key, "{}", ex=600)
    state = anywhere.folder / "state" / "pawsctl"
    (state / "project" / "backups").mkdir(parents=True)
    archive = state / "project" / "backups" / "sessions-1-db0.jsonl.GZ"
    assert anywhere("session", "export", str(archive)).status == ExitStatus.OK
    alone = state / "alone.jsonl"
    assert anywhere("session", "export", str(alone)).status == ExitStatus.OK
    # An archive that has only this session.
    client.delete("wh:session:+12345678901", "wh:session:1234567890")
    assert anywhere("session", "export", "--force", str(alone)).status == ExitStatus.OK
    store_session(any_server, "+12345678901", VALUE)
    bad = {"EDITOR": "sh -c ': >\"$1\"' sh"}
    assert anywhere("session", "edit", WHATS_APP, env=bad).status == ExitStatus.FAILED
    before = _stored(any_server)
    asked = anywhere("session", "erase", WHATS_APP)
    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert "2 lines in 2 archives, 1 kept edit" in asked.err
    assert _stored(any_server) == before

    done = anywhere("session", "erase", WHATS_APP, "--yes", "--receipt", "receipt.json", "--json")
    assert done.status == ExitStatus.OK, done.err
    assert _stored(any_server) == {"wh:session:+12345678901", *others}
    assert not alone.exists()
    assert list((state / "session.edits").iterdir()) == []
    left = anywhere("session", "import", str(archive), "--dry-run", "--json")
    assert (left.json["imported"], left.json["kept"]) == (1, 1)

    text = (anywhere.folder / "receipt.json").read_text()
    receipt = json.loads(text)
    assert receipt == done.json["receipt"]
    assert stat.S_IMODE((anywhere.folder / "receipt.json").stat().st_mode) == 0o600
    assert PHONE.removeprefix("+") not in re.sub(r"\D", "", text.replace(receipt["phone_hash"], ""))
    assert receipt["complete"] is True
    assert _looks(receipt) == {
        "session": (1, 1, 0),
        "temp_image": (2, 2, 0),
        "kept copies": (3, 3, 0),
    }
    assert any("snapshots" in each for each in receipt["not_reached"])
    secret = bytes.fromhex((state / "hash.key").read_text())
    expected = hmac.new(secret, PHONE.encode(), hashlib.sha256).hexdigest()
    assert receipt["phone_hash"] == f"hmac-sha256:{expected}"
    assert stat.S_IMODE((state / "hash.key").stat().st_mode) == 0o600


def test_nothing_is_erased_without_a_place_for_the_receipt(
    pawsctl: Pawsctl, server: Server
) -> None:
    """An existing file is not overwritten, nor a folder that is missing made."""
    store_session(server, "+1", VALUE)
    for name in ("here.json", "missing/receipt.json"):
        (pawsctl.folder / "here.json").write_text("x")
        refused = pawsctl("session", "erase", "+1", "--yes", "--receipt", name)
        assert refused.status == ExitStatus.USAGE
    (pawsctl.folder / "state" / "pawsctl").mkdir(parents=True)
    (pawsctl.folder / "state" / "pawsctl" / "hash.key").write_text("no key")
    assert pawsctl("session", "erase", "+1", "--yes").status == ExitStatus.FAILED
    assert server.client.exists("wh:session:+1")


def test_of_nothing_there_is_a_receipt_too(pawsctl: Pawsctl, server: Server) -> None:
    """The exit status tells, and the phone that is stored with a + is named."""
    store_session(server, "+1", VALUE)
    none = pawsctl("session", "erase", "1", "--receipt", "r.json")
    assert none.status == ExitStatus.NO_SESSION
    assert "There is one for +1" in none.err
    assert json.loads((pawsctl.folder / "r.json").read_text())["complete"] is True
    assert server.client.exists("wh:session:+1")


def test_what_can_not_be_looked_at_is_told(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """A damaged archive may hold the phone; the rest is erased."""
    store_session(server, "+1", VALUE)
    (tmp_path / "state" / "pawsctl").mkdir(parents=True)
    (tmp_path / "state" / "pawsctl" / "a.jsonl.gz").write_bytes(b"\x1f\x8b damaged")
    done = pawsctl("session", "erase", "+1", "--yes", "--json")
    assert done.status == ExitStatus.PARTIAL
    assert done.json["receipt"]["complete"] is False
    assert "a.jsonl.gz is damaged" in done.json["receipt"]["not_looked_at"][0]
    assert not server.client.exists("wh:session:+1")


def test_what_the_bot_writes_meanwhile_is_told(bare_pawsctl: Pawsctl, server: Server) -> None:
    """A second look finds it; so nothing is called erased that is there."""
    store_session(server, "+1", VALUE)
    looks: list[bytes] = []

    def see(command: list[bytes]) -> bool:
        if command[0] == b"EXISTS" and command[1:] == [b"wh:session:+1"]:
            looks.append(command[0])
            if len(looks) == 2:
                store_session(server, "+1", VALUE)
        return False

    with between.standing(server, refuses=see) as url:
        done = bare_pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    assert done.status == ExitStatus.FAILED
    assert "there now: session" in done.error["message"]
    assert _looks(done.json["receipt"])["session"] == (1, 1, 1)
    assert done.json["receipt"]["complete"] is False


def test_pictures_that_this_user_may_not_see_are_told(pawsctl: Pawsctl, server: Server) -> None:
    """The session is erased, and the receipt says that the picture is still there."""
    store_session(server, "+1", VALUE)
    server.client.set("temp_image:+1:1", "{}", ex=600)
    server.client.execute_command("ACL SETUSER lim on >pw ~wh:session:* +@all")
    url = server.url.replace("://", "://lim:pw@")
    done = pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    server.client.acl_deluser("lim")
    assert done.status == ExitStatus.PARTIAL
    assert not server.client.exists("wh:session:+1")
    receipt = done.json["receipt"]
    assert receipt["not_looked_at"] == ["pictures: This user may not read 1 key"]
    assert receipt["not_erased"] == ["1 temporary picture, which this user may not delete"]
    assert receipt["complete"] is False
    assert done.error["message"] == (
        "Not all could be erased: 1 temporary picture, which this user may not delete. Still "
        "there: temp_image. Not all could be looked at: pictures: This user may not read 1 key."
    )


def test_a_refused_picture_is_told_beside_a_copy_that_is_not_looked_at(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A draft that is open in an editor, and pictures of which this user may delete one."""
    store_session(server, "+1", VALUE)
    for name in ("temp_image:+1:1", "temp_image:+1:2"):
        server.client.set(name, "{}", ex=600)
    draft = pawsctl.folder / "state/pawsctl/session.edits" / f".editing-{os.getpid()}-{1:016x}"
    draft.mkdir(parents=True)
    (draft / "+1.json").write_text("half")
    server.client.execute_command(
        "ACL SETUSER lim reset on >pw %R~* ~wh:session:* ~temp_image:*:1 +@all"
    )
    url = server.url.replace("://", "://lim:pw@")
    done = pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    server.client.acl_deluser("lim")
    assert done.status == ExitStatus.FAILED
    receipt = done.json["receipt"]
    assert receipt["not_erased"] == ["1 temporary picture, which this user may not delete"]
    (unseen,) = receipt["not_looked_at"]
    for clause in (*receipt["not_erased"], unseen):
        assert clause in done.error["message"]
    assert unseen.endswith("is open in an editor")
    assert receipt["looked_at"][1] == {"place": "temp_image", "found": 2, "erased": 1, "left": 1}
    assert receipt["complete"] is False


def test_pictures_that_this_user_may_not_delete_are_told(pawsctl: Pawsctl, server: Server) -> None:
    """Nobody has written them meanwhile."""
    store_session(server, "+1", VALUE)
    for number in range(2):
        server.client.set(f"temp_image:+1:{number}", "{}", ex=600)
    server.client.execute_command("ACL SETUSER lim reset on >pw %R~* ~wh:session:* +@all")
    url = server.url.replace("://", "://lim:pw@")
    done = pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    server.client.acl_deluser("lim")
    assert done.status == ExitStatus.FAILED
    refused = "2 temporary pictures, which this user may not delete"
    assert done.json["receipt"]["not_erased"] == [refused]
    assert done.error["message"] == (
        f"Not all could be erased: {refused}. Still there: temp_image."
    )
    assert sorted(server.client.keys()) == [b"temp_image:+1:0", b"temp_image:+1:1"]

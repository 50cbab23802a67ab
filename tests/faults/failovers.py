"""Attacks on a Sentinel trio: a failover in the middle of a command."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import redis

from tests import sentinels
from tests.faults.commands import every, prepare
from tests.faults.lab import Lab, Place, judge, until
from tests.faults.tally import Tally
from tests.sentinels import SERVICE, Trio

_LIMITS = ("--timeout", "2", "--connect-timeout", "2", "--failover-timeout", "10")


class TrioLab(Lab):
    """The lab's sessions in a Sentinel trio."""

    def __init__(self, trio: Trio, folder: Path) -> None:
        folder.mkdir()
        Place.__init__(self, folder, trio.primary.client)
        self.trio = trio

    @property
    def url(self) -> str:
        """The URL that names the Sentinels."""
        return self.trio.url

    def fill(self) -> None:
        """Fill the primary, and wait until the replicas have everything."""
        super().fill()
        self.client.wait(len(self.trio.servers) - 1, 5_000)

    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""
        before = self.trio.primary
        with suppress(redis.RedisError):
            sentinel = self.trio.sentinels[0].client
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE, "COORDINATED")
            # It has only begun then.
            until(lambda: self.trio.primary is not before)

    def settle(self) -> None:
        """Wait until there is one primary, which both others follow."""
        until(self._is_settled)
        self.client = self.trio.primary.client

    def _is_settled(self) -> bool:
        roles = [server.client.role() for server in self.trio.servers]
        following = sum(role[0] == b"slave" and role[3] == b"connected" for role in roles)
        return bool(following == len(roles) - 1)


def attacks(folder: Path, rng: random.Random, tries: int) -> Iterator[Tally]:
    """Fail over at random moments of each command."""
    folder.mkdir()
    with sentinels.running(folder) as trio:
        lab = TrioLab(trio, folder / "work")
        tally = Tally("primary fails over")
        for command in every(lab):
            for _ in range(tries):
                lab.settle()
                prepare(lab, command)
                words = ("--url", lab.url, *_LIMITS, *command.arguments)
                after = rng.random() * 0.5
                process = lab.start(*words)
                time.sleep(after)
                striking = threading.Thread(target=lab.fail_over)
                striking.start()
                run = lab.end(process, words)
                striking.join()
                tally.tried()
                how = f"after {after:.3f} s"
                judge(run, tally, how)
                lab.settle()
                if wrong := command.verdict(lab, run) or lab.foreign_loss():
                    tally.found("lost", f"{how}: {wrong}: {run}")
        yield tally

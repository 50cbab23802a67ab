"""The ports of topologies that this project started."""

from collections.abc import Collection
from contextlib import suppress

from pawsctl.config.settings import StackSettings
from pawsctl.errors import PawsctlError
from pawsctl.stack import status
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.layout import Topology

_TOPOLOGIES: tuple[Topology, ...] = ("sentinel", "cluster")


def among(settings: StackSettings, ports: Collection[int]) -> set[int]:
    """Return which of some ports of this machine lead to a running node of such a topology.

    If no engine answers, none is known.
    """
    found: set[int] = set()
    for topology in _TOPOLOGIES:
        with suppress(PawsctlError):
            here = project.load(settings, topology)
            services = engine_of(here, lambda _event: None).status()
            running = [each for each in services if each.state == "running"]
            for name in layout.redis_ports(here.stack).values():
                if port := status.port_of(name, running):
                    found.add(port)
    return found & set(ports)

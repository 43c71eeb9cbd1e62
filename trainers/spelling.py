"""Methods as recipes say them (``textual_inversion``), and as `modelhub train` is told them (``textual-inversion``)."""

__all__ = ["command_of", "method_of"]


def command_of(method: str) -> str:
    """`method_of(command_of(method)) == method`."""
    return method.replace("_", "-")


def method_of(command: str) -> str:
    return command.replace("-", "_")

"""One file a command: a function `command(session, ...)`, or a Typer app of such functions for sub-commands.

What is heavy is imported inside the function, so that `modelhub --help` stays light.
"""

"""The shortest trainings that are asked for by hand."""

from cli.app import main

__all__ = ["SHORT", "lora"]

SHORT = ["--steps", "2", "--batch", "1", "--rank", "2", "--device", "cpu"]


def lora(*arguments: object) -> int:
    return main(["train", "lora", *map(str, arguments)])

"""What `modelhub train blocks` shows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.render import table
from cli.session import Session

if TYPE_CHECKING:
    from trainers.fitting.blocks import Block

__all__ = ["show_blocks"]


def show_blocks(session: Session, ref: str) -> None:
    """The blocks of a checkpoint's UNet, by the names that a recipe's tables of blocks have for them."""
    with session.open_catalog() as catalog:
        from trainers.fitting.blocks import blocks_in

        found = blocks_in(ref, catalog)
    heads = ("BLOCK", "LAYERS", "MORE WITH CONV_RANK")
    session.output.show(found, text=lambda: table(heads, list(_rows(found))), ids=[one.name for one in found])


def _rows(blocks: "tuple[Block, ...]") -> Iterator[tuple[str, str, str]]:
    return ((one.name, str(one.transformers or "-"), str(one.between or "-")) for one in blocks)

"""Writes what a `RewritePlan` says, tensor by tensor, so that a model may be larger than the memory."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from inference.weights.convert import Conversion, remove_leftovers
from inference.weights.load import numbers
from inference.weights.number_types import TYPES, raw
from inference.weights.rows import Content, RewritePlan, Row, Source, bytes_of, in_eight_bits
from modelhub.errors import BrokenFile, Conflict, Incompatible, ModelHubError
from modelhub.headers import TensorTable, read_table, read_tensor, write_outline
from modelhub.jobs import Done, Job, Progress
from modelhub.workspace import disk_error, publish

__all__ = ["rewrite"]


def rewrite(plan: RewritePlan, target: Path) -> Job[Conversion]:
    """Write a file or a folder, whole or not at all, and read it back to compare every byte.

    A result that is there already is compared instead; raises `Conflict` when something else stands there.
    """
    _check_types(plan)
    sources = _Sources()
    files: dict[str, Content] = {}
    for name, content in plan.files.items():
        files[name] = yield from _fitting(content, sources)
    settled = replace(plan, files=files)
    written = not target.exists()
    if written:
        remove_leftovers(target, is_folder="" not in plan.files)
        with _published(target, is_folder="" not in files) as part:
            yield from _write(settled, part, sources)
            yield from _compare(settled, part, sources, BrokenFile(target, "what was written did not read back"))
    else:
        stranger = f"{target} stands there already, and is not {plan.source.name} converted"
        yield from _compare(settled, target, sources, Conflict(stranger, mend="choose another --out"))
    yield Done(
        Conversion(
            source=plan.source,
            target=target,
            tensors=len(settled.tensors),
            size=sum((target / name).stat().st_size for name in (*files, *plan.texts)),
            dropped=plan.dropped,
            too_large=_kept_wide(plan, settled),
            written=written,
        )
    )


def _check_types(plan: RewritePlan) -> None:
    for row in plan.tensors:
        odd = {row.dtype, *(source.dtype for source in row.sources)} - TYPES.keys()
        if odd:
            raise Incompatible(f"{row.name} of {plan.source} is of the type {min(odd)}, which cannot be converted")


@dataclass(frozen=True, slots=True)
class _Sources:
    """Files that are read from, a tensor at a time: mapped ones would fill the memory."""

    tables: dict[Path, TensorTable] = field(default_factory=dict)

    def tensor(self, row: Row) -> Tensor:
        """One of the result's, contiguous."""
        dtype = TYPES[row.dtype]
        if not row.sources:
            return torch.empty(row.shape, dtype=dtype)
        blocks = [self._numbers(source, dtype) for source in row.sources]
        whole = torch.cat(blocks) if len(blocks) > 1 else blocks[0]
        return (whole.T if row.transposed else whole).reshape(row.shape).contiguous()

    def _numbers(self, source: Source, dtype: torch.dtype) -> Tensor:
        path, piece = source.path, source.piece
        if path not in self.tables:
            self.tables[path] = read_table(path)
        names = [name for name in (piece.tensor, piece.scale) if name]
        return numbers(piece, {name: _read(path, self.tables[path], name) for name in names}, dtype)


def _read(path: Path, table: TensorTable, name: str) -> Tensor:
    entry = table.tensors[name]
    packed, dtype = bytearray(read_tensor(path, table, name)), TYPES[entry.dtype]
    flat = torch.frombuffer(packed, dtype=dtype) if packed else torch.empty(0, dtype=dtype)
    return flat.reshape(entry.shape)


def _fitting(content: Content, sources: _Sources) -> Generator[Progress, None, Content]:
    """Its rows, those kept wide whose numbers float16 cannot hold; the header tells types, so this comes first."""
    kept: dict[str, Row] = {}
    doubtful = [row for row in content.rows if _may_overflow(row)]
    for number, row in enumerate(doubtful, start=1):
        tensor = sources.tensor(_wide(row))
        if not torch.equal(tensor.half().isfinite(), tensor.isfinite()):
            kept[row.name] = _wide(row)
        yield Progress("check", number, len(doubtful), "tensors")
    return replace(content, rows=tuple(kept.get(row.name, row) for row in content.rows))


def _may_overflow(row: Row) -> bool:
    return row.dtype == "F16" and any(source.dtype != "F16" for source in row.sources)


def _wide(row: Row) -> Row:
    kinds = {source.dtype for source in row.sources}
    dtype = kinds.pop() if len(kinds) == 1 else "F32"
    dtype = "F32" if in_eight_bits(dtype) else dtype
    return replace(row, dtype=dtype, size=row.size // bytes_of(row.dtype) * bytes_of(dtype))


def _kept_wide(plan: RewritePlan, settled: RewritePlan) -> tuple[str, ...]:
    pairs = zip(plan.tensors, settled.tensors, strict=True)
    return tuple(ours.name for ours, theirs in pairs if ours.dtype != theirs.dtype)


@contextmanager
def _published(target: Path, *, is_folder: bool) -> Iterator[Path]:
    """A place beside the final one, which takes its name at once when all is on the disk."""
    if not is_folder:
        with publish(target, replace=False) as part:
            yield part
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            part.chmod(0o755)
            yield part
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise disk_error(error, target) from error


def _write(plan: RewritePlan, part: Path, sources: _Sources) -> Iterator[Progress]:
    for name, text in plan.texts.items():
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        with (part / name).open("wb") as file:
            _flush(file, text)
    done, total = 0, len(plan.tensors)
    for name, content in plan.files.items():
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        rows = {row.name: row for row in content.rows}
        outline = [(row.name, row.dtype, row.shape, row.size) for row in content.rows]
        with (part / name).open("wb") as file:
            for tensor in write_outline(file, outline, content.metadata):
                file.write(raw(sources.tensor(rows[tensor])).numpy())  # type: ignore[arg-type]  # an array is a buffer
                done += 1
                yield Progress("write", done, total, "tensors")
            _flush(file)


def _flush(file: BinaryIO, content: bytes = b"") -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _compare(plan: RewritePlan, written: Path, sources: _Sources, unlike: ModelHubError) -> Iterator[Progress]:
    """Raise `unlike` unless exactly that stands there."""
    for name, text in plan.texts.items():
        if not (written / name).is_file() or (written / name).read_bytes() != text:
            raise unlike
    done, total = 0, len(plan.tensors)
    for name, content in plan.files.items():
        for equal in _compared(written / name, content.rows, sources):
            if not equal:
                raise unlike
            done += 1
            yield Progress("compare", done, total, "tensors")


def _compared(path: Path, rows: tuple[Row, ...], sources: _Sources) -> Iterator[bool]:
    if not path.is_file():
        yield False
        return
    table = read_table(path)
    there: Mapping[str, object] = {name: (entry.dtype, entry.shape) for name, entry in table.tensors.items()}
    yield from () if there == {row.name: (row.dtype, row.shape) for row in rows} else (False,)
    for row in rows:
        yield read_tensor(path, table, row.name) == raw(sources.tensor(row)).numpy().tobytes()

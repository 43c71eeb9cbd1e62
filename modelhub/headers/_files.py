"""One weight file, whatever its format: its first bytes say, whatever its name ends in."""

from pathlib import Path

from modelhub.errors import MissingFile, UnsafeFile
from modelhub.headers._table import TensorTable
from modelhub.headers._weight_sets import TAGS
from modelhub.headers.gguf import MAGIC, read_gguf_table
from modelhub.headers.onnx import begins_onnx
from modelhub.headers.pickles import read_pickle_table
from modelhub.headers.safetensors import read_safetensors

__all__ = ["WEIGHT_SUFFIXES", "read_file_table"]

WEIGHT_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")
"""What weight files' names end in: where to look, never what to believe."""

_LOOKALIKES = {
    b"version https://git-lfs": ("a Git LFS pointer to a model, not the model", "git lfs pull"),
    b"<": ("a web page, not a model", "open it in a browser: it may say why the download was refused"),
}
_PICKLED = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""A zip archive; a pickle of protocol 2 and later."""


def read_file_table(path: Path) -> TensorTable:
    """The tensor table of a weight file; raises as `read_table` does."""
    try:
        with path.open("rb") as file:
            prefix = file.read(262)
            if prefix.startswith(MAGIC):
                return read_gguf_table(path, file)
            if prefix[8:9] != b"{":  # before it stands a length, which may spell any other format's mark
                if prefix.startswith(_PICKLED) or prefix[257:] == b"ustar":
                    return read_pickle_table(path, file)
                _refuse_lookalikes(path, prefix)
            return read_safetensors(path, file)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise MissingFile(f"{path} is a folder, not a weight file") from None


def _refuse_lookalikes(path: Path, prefix: bytes) -> None:
    for beginning, (what, mend) in _LOOKALIKES.items():
        if prefix.startswith(beginning):
            raise UnsafeFile(f"{path} is {what}", mend=mend)
    if begins_onnx(prefix):
        what = "an ONNX net; of those only taggers are taken, as folders with their list of tags"
        raise UnsafeFile(f"{path} is {what}", mend=f"put {TAGS} beside it, then: modelhub add {path.absolute().parent}")

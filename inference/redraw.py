"""What a picture remembers of how it was drawn -> the fields of a request to this catalog (no torch)."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inference.images.texts import PARAMETERS, REQUEST
from inference.infotext.foreign import told_by
from inference.infotext.models import NamedModel, models_of, stem
from inference.infotext.recall import Recalled, recall
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Conflict, MissingFile, NotFound
from modelhub.kinds import Kind
from modelhub.refs import ModelRef, RefForm

__all__ = ["check_pictures", "missing_models", "remembered"]

_KINDS: Mapping[str, Collection[Kind]] = {
    "model": {Kind.CHECKPOINT, Kind.UNET},
    "vae": {Kind.VAE, Kind.CHECKPOINT},
    "unet": {Kind.UNET, Kind.CHECKPOINT},
    "text encoder": {Kind.TEXT_ENCODER, Kind.CHECKPOINT},
    "lora": {Kind.LORA},
    "embedding": {Kind.EMBEDDING},
    "hypernetwork": {Kind.HYPERNETWORK},
    "controlnet": {Kind.CONTROLNET, Kind.ADAPTER},
    "upscaler": {Kind.UPSCALER},
    "face restorer": {Kind.FACE_RESTORER},
}
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def remembered(texts: Mapping[str, str], catalog: Catalog) -> Recalled:
    """From our own request where there is one, else from what another tool wrote; raises `BadValue` for neither."""
    if texts.get(REQUEST):
        return _own(GenerationRequest.from_json(texts[REQUEST]), texts, catalog)
    told = told_by(texts)
    if told is None:
        raise BadValue("nothing in it tells how it was drawn", mend="modelhub where IMAGE")
    finder = _Finder(catalog)
    recalled = recall(told, finder)
    return Recalled(recalled.fields, recalled.missing, (*recalled.remarks, *finder.remarks))


def missing_models(missing: Sequence[NamedModel]) -> NotFound:
    """The error that names models which are not here, and where they may be had."""
    named = [" ".join(part for part in (one.role, one.name, one.digest[:12]) if part) for one in missing]
    digest = next((one.digest for one in missing if one.digest), None)
    mend = f"modelhub pull civitai:hash:{digest[:12]}" if digest else f"modelhub search --hub civitai {missing[0].name}"
    return NotFound(f"the catalog lacks what drew it: {', '.join(named)}", mend=f"{mend}, or --without-missing")


def check_pictures(fields: Mapping[str, Any]) -> None:
    """Raises `MissingFile` naming the picture that was drawn over, where nobody said which."""
    init = fields.get("init")
    if init and not init.get("image"):
        raise MissingFile("it was drawn over another picture, which it does not hold", mend="give it: --init FILE")
    mask = (init or {}).get("mask")
    if mask and "image" not in mask:
        raise MissingFile("it was drawn below a mask, which it does not hold", mend="give it: --mask FILE")


def _own(request: GenerationRequest, texts: Mapping[str, str], catalog: Catalog) -> Recalled:
    """As it is; what its digests were called stands in its infotext."""
    missing = tuple(_not_held(request, texts, catalog))
    return Recalled(_without(request.model_dump(), {one.digest for one in missing}), missing, ())


def _without(said: dict[str, Any], digests: Collection[str]) -> dict[str, Any]:
    """The fields of a request without the models of these digests."""
    tags = re.compile("|".join(rf"\s*<\w+:{digest}[^>]*>" for digest in digests) or r"(?!)")
    single = [name for name in ("model", "vae", "unet") if said[name] in digests]
    single += [name for name in ("refiner", "faces") if said[name] and said[name]["model"] in digests]
    lists = {
        name: [use for use in said[name] or () if (use if name == "text_encoders" else use["ref"]) not in digests]
        for name in ("loras", "controls", "text_encoders")
    }
    if hires := said["hires"]:
        gone = {"model": None, "upscaler": "Latent"}
        hires = {**hires, **{name: value for name, value in gone.items() if hires[name] in digests}}
    kept = {name: value for name, value in said.items() if name not in single}
    return {**kept, **lists, "hires": hires, "prompt": tags.sub("", said["prompt"])}


def _not_held(request: GenerationRequest, texts: Mapping[str, str], catalog: Catalog) -> Iterator[NamedModel]:
    told = told_by({PARAMETERS: texts.get(PARAMETERS, "")})
    names = {one.digest[:10]: one.name for one in models_of(told)} if told else {}
    for role, digest in _models(request):
        if _DIGEST.fullmatch(digest) and not catalog.find_digest(digest):
            yield NamedModel(role, names.get(digest[:10], ""), digest)


def _models(request: GenerationRequest) -> Iterator[tuple[str, str]]:
    """(role, reference) of every model that it names."""
    yield "model", request.model
    yield from (("lora", use.ref) for use in request.loras)
    yield from (("lora", digest) for digest in _DIGEST.findall(request.prompt))
    yield from (("embedding", use.ref) for use in request.embeddings or ())
    yield from (("controlnet", use.ref) for use in request.controls)
    yield from (("text encoder", ref) for ref in request.text_encoders)
    said = {
        "vae": request.vae,
        "unet": request.unet,
        "hires checkpoint": request.hires and request.hires.model,
        "upscaler": request.hires and request.hires.upscaler,
        "refiner": request.refiner and request.refiner.model,
        "face restorer": request.faces and request.faces.model,
    }
    yield from ((role, ref) for role, ref in said.items() if ref)


@dataclass(slots=True)
class _Finder:
    """Looks a model up by its hash, and where that is not known by the name of its file."""

    catalog: Catalog
    remarks: list[str] = field(default_factory=list)

    def __call__(self, named: NamedModel) -> str | None:
        return self._by_digest(named) or self._by_name(named)

    def _by_digest(self, named: NamedModel) -> str | None:
        for number in self.catalog.find_digest(named.digest) if named.digest else ():
            if self.catalog.artifact(number).facts.kind in _KINDS.get(named.role, Kind):
                return str(number)
        return None

    def _by_name(self, named: NamedModel) -> str | None:
        try:
            ref = ModelRef(RefForm.NAME, stem(named.name))
            found = self.catalog.resolve(ref, kinds=_KINDS.get(named.role))
        except (NotFound, Conflict):
            return None
        if named.digest:
            known = "is another file" if "sha256" in found.digests else "has no digests yet (modelhub scan --hash)"
            self.remarks.append(f"{named.role} {named.name} was {named.digest}: {found.name} here {known}")
        return str(found.id)

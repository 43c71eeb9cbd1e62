"""The parts of one model, wherever they lie, brought together and checked against one another."""

from collections.abc import Mapping, Sequence
from typing import Any

from inference.weights.folder import model_parts, model_weights
from inference.weights.single_file import CALLED, TEXT_ROLES, UNET, VAE, Part, lacking, part_in, text_width
from modelhub.errors import Incompatible
from modelhub.families import Family
from modelhub.kinds import Artifact, Kind

__all__ = ["assembled"]

_FLAGS = {UNET: "--unet", VAE: "--vae", **dict.fromkeys(TEXT_ROLES, "--text-encoder")}


def assembled(
    base: Artifact, family: Family, *, unet: Artifact | None, vae: Artifact | None, text_encoders: Sequence[Artifact]
) -> dict[str, Part]:
    """The base's parts, each replaced by what is given in its place.

    Raises `Incompatible` for a part that is missing, with the flag that gives it, or that fits no other, and
    `BrokenFile` for a file that holds nothing of the kind.
    """
    parts = model_parts(base.path, family)
    for role, given in ((UNET, unet), (VAE, vae)):
        if given:
            parts[role] = part_in(model_weights(given.path, role), family, role)
    for given in text_encoders:
        parts |= _text_parts(given, family, parts)
    for role in lacking(parts, family):
        raise Incompatible(f"{base.name} holds no {CALLED[role]}", mend=f"modelhub generate ... {_FLAGS[role]} REF")
    _check_text(base, parts)
    _check_latents(vae or base, family, parts[VAE])
    return {role: parts[role] for role in family.components}


def _text_parts(given: Artifact, family: Family, parts: Mapping[str, Part]) -> dict[str, Part]:
    """All encoders of a checkpoint; the one of a file of its own, in the role that its width says."""
    roles = [role for role in TEXT_ROLES if role in family.components]
    if given.facts.kind is Kind.CHECKPOINT:
        held = model_parts(given.path, family)
        return {role: held[role] for role in roles if role in held}
    role = roles[0] if len(roles) == 1 else _role_of(given, parts, roles)
    return {role: part_in(model_weights(given.path, role), family, role)}


def _role_of(given: Artifact, parts: Mapping[str, Part], roles: Sequence[str]) -> str:
    """That in which the encoders together are as wide as the UNet reads; the smaller one comes first."""
    width = text_width(model_weights(given.path, roles[0])) or 0
    for role in roles:
        if role in parts and parts[role].config["hidden_size"] == width:
            return role
    return roles[0] if 2 * width < _read_width(parts) else roles[1]


def _read_width(parts: Mapping[str, Part]) -> int:
    width: int = parts[UNET].config["cross_attention_dim"] if UNET in parts else 0
    return width


def _check_text(base: Artifact, parts: Mapping[str, Part]) -> None:
    """What the text encoders say must be as wide as what the UNet reads."""
    encoders = {role: parts[role] for role in TEXT_ROLES if role in parts}
    said, read = sum(part.config["hidden_size"] for part in encoders.values()), _read_width(parts)
    if said != read:
        names = " and ".join(part.path.name for part in encoders.values())
        raise Incompatible(
            f"the text encoders of {base.name} ({names}) make encodings {said} wide, its UNet reads {read}: "
            "they belong to different models",
            mend="modelhub ls --kind text_encoder",
        )
    _check_pooled(base, parts[UNET].config, [part.config.get("projection_dim", 0) for part in encoders.values()])


def _check_pooled(base: Artifact, unet: Mapping[str, Any], pooled: Sequence[int]) -> None:
    """SDXL's UNet is also told the text as a whole, beside a handful of numbers."""
    told, each = unet.get("projection_class_embeddings_input_dim"), unet.get("addition_time_embed_dim")
    if told and each and (told - pooled[-1]) % each:
        raise Incompatible(
            f"the last text encoder of {base.name} makes {pooled[-1]} numbers of a whole text, which its UNet, that is "
            f"told {told}, was not made for",
            mend="modelhub ls --kind text_encoder",
        )


def _check_latents(holder: Artifact, family: Family, vae: Part) -> None:
    channels = vae.config["latent_channels"]
    if channels != family.latent.channels:
        raise Incompatible(
            f"the VAE of {holder.name} makes latents of {channels} channels, not {family.latent.channels}",
            mend=f"modelhub ls --family {family.vae_of or family.name} --kind vae",
        )

"""Upscalers: which network, and by how much it enlarges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Kind
from tests import tables
from tests import tables_upscalers as made
from tests.cases import Case, facts_of, told, top_claims


def of(algorithm: str, scale: int | None) -> dict[str, object]:
    return {
        "kind": "upscaler",
        "algorithm": algorithm,
        "scale": scale,
        "family": None,
        "format": "safetensors/native",
    }


def under(prefix: str, shapes: tables.Shapes) -> tables.Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


CASES = {
    "esrgan": Case(made.esrgan(), of("esrgan", 4)),
    "esrgan, 1x": Case(made.esrgan(0), of("esrgan", 1)),
    "esrgan, 2x": Case(made.esrgan(1), of("esrgan", 2)),
    "esrgan, 8x": Case(made.esrgan(3), of("esrgan", 8)),
    "real-esrgan": Case(made.real_esrgan(), of("real-esrgan", 4)),
    "real-esrgan, folded twice": Case(made.real_esrgan(12), of("real-esrgan", 2)),
    "real-esrgan, folded four times": Case(made.real_esrgan(48), of("real-esrgan", 1)),
    "real-esrgan for anime": Case(made.real_esrgan(blocks=6), of("real-esrgan", 4)),
    "real-esrgan from a parallel training": Case(under("module.", made.real_esrgan()), of("real-esrgan", 4)),
    "bsrgan": Case(made.bsrgan(), of("bsrgan", 4)),
    "bsrgan, 2x": Case(made.bsrgan(1), of("bsrgan", 2)),
    "compact": Case(made.compact(), of("compact", 4)),
    "compact, 2x": Case(made.compact(2, 16), of("compact", 2)),
    "compact, 1x": Case(made.compact(1), of("compact", 1)),
    "swinir": Case(made.swinir(), of("swinir", 4)),
    "swinir, 3x": Case(made.swinir(3), of("swinir", 3)),
    "swinir, light": Case(made.swinir(2, "pixelshuffledirect"), of("swinir", 2)),
    "swinir, light, 4x": Case(made.swinir(4, "pixelshuffledirect"), of("swinir", 4)),
    "swinir, real": Case(made.swinir(4, "nearest+conv"), of("swinir", 4)),
    "swinir from a parallel training": Case(under("netG.module.", made.swinir()), of("swinir", 4)),
    "swin2sr": Case(made.swin2sr(), of("swin2sr", 4)),
    "swin2sr, 8x": Case(made.swin2sr(8), of("swin2sr", 8)),
    "hat": Case(made.hat(), of("hat", 4)),
    "hat, 2x": Case(under("netG.", made.hat(2)), of("hat", 2)),
    "dat": Case(made.dat(), of("dat", 4)),
    "dat, light": Case(made.dat(2, "pixelshuffledirect"), of("dat", 2)),
    "drct": Case(made.drct(), of("drct", 4)),
    "atd": Case(made.atd(), of("atd", 4)),
    "span": Case(made.span(), of("span", 4)),
    "span, 2x": Case(made.span(2), of("span", 2)),
    "plksr": Case(made.plksr(), of("plksr", 4)),
    "plksr, 2x": Case(made.plksr(2, "lk.convs.0"), of("plksr", 2)),
    "plksr with many kernels": Case(made.plksr(4, "lk.mn_conv"), of("plksr", 4)),
    "realcugan, 2x": Case(made.realcugan(), of("realcugan", 2)),
    "realcugan, 3x": Case(made.realcugan(3), of("realcugan", 3)),
    "realcugan, 4x": Case(made.realcugan(4), of("realcugan", 4)),
    "realcugan, 2x from folded pixels": Case(
        {**made.realcugan(4), "unet1.conv1.conv.0.weight": (32, 12, 3, 3)}, of("realcugan", 2)
    ),
    "rgt": Case({**made.dat(), "layers.0.blocks.0.gamma": (180,)}, of("rgt", 4)),
    "grl": Case(made.grl(), of("grl", 4)),
    "craft": Case(made.craft(), of("craft", 4)),
    "ditn": Case(made.ditn(3), of("ditn", 3)),
    "safmn": Case(made.safmn(2), of("safmn", 2)),
    "mosr": Case(made.mosr(), of("mosr", 4)),
    "scunet": Case(made.scunet(), of("scunet", 1)),
    "omnisr": Case(made.omnisr(), of("omnisr", 4)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_upscaler_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_an_upscaler(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.UPSCALER]


def test_the_evidence_tells_how_the_scale_shows() -> None:
    detail = facts_of(CASES["real-esrgan, folded twice"]).evidence["scale"].detail
    assert detail == "2 convolutions double it, pixels enter folded 2x2"


def test_an_upscaler_that_estimates_damage_is_none_that_we_know() -> None:
    shapes = {**made.real_esrgan(), "am_list.0.fc.0.weight": (512, 512)}
    assert facts_of(Case(shapes, {})).kind is Kind.UNKNOWN


def test_a_last_layer_of_odd_width_tells_no_scale() -> None:
    shapes = {**made.span(), "upsampler.0.weight": (50, 48, 3, 3)}
    assert facts_of(Case(shapes, {})).scale is None


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", ""])
def test_layers_numbered_strangely_are_not_counted(number: str) -> None:
    assert facts_of(Case({**made.esrgan(), f"model.{number}.weight": (1,)}, {})).scale == 4


NAMES = sorted({name for case in CASES.values() for name in case.shapes if "1" not in name or "up" in name})


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.integers(0, 100), max_size=5).map(tuple), max_size=6))
def test_no_shapes_are_so_strange_that_identifying_an_upscaler_fails(more: tables.Shapes) -> None:
    for base in ({}, made.esrgan(), made.real_esrgan(), made.compact(), made.swinir(), made.realcugan(), made.span()):
        assert isinstance(facts_of(Case({**base, **more}, {})).kind, Kind)

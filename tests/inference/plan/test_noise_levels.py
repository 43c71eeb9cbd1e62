"""Which noise levels a model gets, by what is known of it and what its file holds."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.levels import EvenLogs, FlowTime
from inference.plan import resolve
from inference.plan.noise import check_levels, noise_range, sigma_table, wanted_levels
from inference.request import GenerationRequest, Variation
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.families import family
from modelhub.headers import read_table
from modelhub.kinds import Facts, Kind
from tests import tiny


def request(**fields: object) -> GenerationRequest:
    return GenerationRequest.model_validate({"prompt": "", "model": "x", **fields})


@pytest.mark.parametrize(
    ("prediction", "ends"),
    [("epsilon", (0.02917, 14.6146)), ("edm", (0.002, 80.0)), ("edm_v", (0.002, 120.0)), ("flow", (0.003, 29997.0))],
)
def test_what_a_model_predicts_says_which_levels_it_knows(prediction: str, ends: tuple[float, float]) -> None:
    table = sigma_table(family("sdxl"), prediction, zero_snr=False, noise_range=None)

    assert (table.smallest, table.largest) == pytest.approx(ends, rel=2e-3)


def test_zero_terminal_snr_reaches_the_levels(catalog: Catalog, tmp_path: Path) -> None:
    facts = Facts(kind=Kind.CHECKPOINT, family="sd1", prediction_type="v", zero_snr=True, context_width=16)
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), facts=facts)

    plan = resolve(request(model="tiny"), catalog).base

    assert (plan.prediction, plan.table.zero_snr) == ("v", True)
    assert plan.table.largest == pytest.approx(4518.76, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_files_own_range_is_read_from_its_marker_tensors(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "cosxl.safetensors"
    ends = {"edm_vpred.sigma_min": 0.0625, "edm_vpred.sigma_max": 96.0}
    save_file({name: torch.tensor(value, dtype=dtype) for name, value in ends.items()}, path)

    found = noise_range(path, read_table(path))

    assert found == (0.0625, 96.0)
    assert sigma_table(family("sdxl"), "edm_v", zero_snr=False, noise_range=found).noise == EvenLogs(0.0625, 96.0)


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"edm_vpred.sigma_max": torch.tensor(120.0)},
        {"edm_vpred.sigma_min": torch.tensor(3.0), "edm_vpred.sigma_max": torch.tensor(2.0)},
        {"edm_vpred.sigma_min": torch.tensor(0.1), "edm_vpred.sigma_max": torch.tensor(float("inf"))},
        {"edm_vpred.sigma_min": torch.ones(2), "edm_vpred.sigma_max": torch.tensor(9.0)},
        {"edm_vpred.sigma_min": torch.tensor(1, dtype=torch.int32), "edm_vpred.sigma_max": torch.tensor(9.0)},
    ],
)
def test_a_range_that_cannot_be_is_not_believed(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"x": torch.zeros(1), **tensors}, path)

    assert noise_range(path, read_table(path)) is None


def test_a_family_with_other_noise_is_refused() -> None:
    with pytest.raises(Incompatible, match="have no noise schedule to sample from"):
        sigma_table(family("cascade"), "epsilon", zero_snr=False, noise_range=None)


SD1 = sigma_table(family("sd1"), "epsilon", zero_snr=False, noise_range=None)
FLOW = sigma_table(family("sdxl"), "flow", zero_snr=False, noise_range=None)


def test_ends_the_wrong_way_round_are_refused_naming_the_models_own() -> None:
    for fields in ({"sigma_min": 20.0}, {"sigma_min": 2.0, "sigma_max": 1.0}, {"sigma_max": 0.01}):
        with pytest.raises(BadValue, match=r"is no way down: the model's own ends are 14\.6146 and 0\.0291"):
            check_levels(request(**fields), SD1)
    check_levels(request(sigma_min=0.1, sigma_max=10.0), SD1)


def test_a_shift_is_for_flows_alone() -> None:
    with pytest.raises(BadValue, match="a shift is for flow models"):
        check_levels(request(shift=2.0), SD1)

    assert wanted_levels(request(shift=2.0), FLOW).noise == FlowTime(2.0)
    assert wanted_levels(request(), FLOW).noise == FlowTime(3.0)


def test_the_published_levels_are_refused_for_a_flow() -> None:
    with pytest.raises(BadValue, match="found for other noise than a flow's"):
        check_levels(request(schedule="Align Your Steps"), FLOW)


# Whose noise is whose


@pytest.fixture
def shelf(catalog: Catalog, tmp_path: Path) -> Catalog:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"))
    return catalog


def test_with_a_second_seed_the_second_ones_count_up(shelf: Catalog) -> None:
    plan = resolve(request(model="tiny", seed=5, variation=Variation(seed=2**32 - 1, strength=0.2), count=3), shelf)

    assert [(seed.number, seed.variation) for seed in plan.seeds] == [(5, 2**32 - 1), (5, 0), (5, 1)]
    assert plan.request.for_image(plan.seeds[1]).variation == Variation(seed=0, strength=0.2)
    assert plan.request.for_image(plan.seeds[1]).seeds == [plan.seeds[1]]


def test_a_variation_of_strength_0_is_none(shelf: Catalog) -> None:
    plan = resolve(request(model="tiny", seed=5, variation=Variation(seed=9, strength=0.0), count=2), shelf)

    assert [(seed.number, seed.variation) for seed in plan.seeds] == [(5, None), (6, None)]


def test_an_open_second_seed_is_drawn_once_for_the_request(shelf: Catalog) -> None:
    plan = resolve(request(model="tiny", seed=5, variation=Variation(strength=0.2)), shelf)

    assert plan.request.variation is not None
    assert plan.request.variation.seed >= 0
    assert plan.seeds == plan.seeds

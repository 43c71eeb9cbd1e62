import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.levels import ALIGNED, FlowTime, Overrides
from inference.samplers import known
from inference.schedules import SCHEDULES, SigmaTable, sigmas
from modelhub.errors import BadValue
from modelhub.families import family

TABLE = SigmaTable(family("sd1").noise)

WEBUI = {
    "Uniform": ([14.61, 7.84, 4.609], [0.3687, 0.0292, 0.0]),
    "Karras": ([14.61, 9.103, 5.478], [0.0819, 0.0292, 0.0]),
    "Exponential": ([14.61, 7.325, 3.671], [0.0582, 0.0292, 0.0]),
    "Polyexponential": ([14.61, 7.325, 3.671], [0.0582, 0.0292, 0.0]),
    "SGM Uniform": ([14.61, 8.307], [0.3437, 0.0]),
    "KL Optimal": ([14.61, 4.565], [0.1783, 0.0292]),
    "Align Your Steps": ([14.615], [0.029, 0.0]),
    "Simple": ([14.61, 8.303], [0.3417, 0.0]),
    "Normal": ([14.61, 7.84, 4.609], [0.3687, 0.0292, 0.0]),
    "DDIM": ([8.391, 5.134], [0.0413, 0.0]),
    "Beta": ([14.61, 13.93, 12.49], [0.716, 0.0292, 0.0]),
}
"""How each schedule of 10 steps begins and ends in stable-diffusion-webui."""


@pytest.mark.parametrize(("name", "ends"), WEBUI.items())
def test_ten_steps_have_the_sigmas_of_webui(name: str, ends: tuple[list[float], list[float]]) -> None:
    levels = sigmas(name, TABLE, 10)

    assert len(levels) == 11
    assert levels[: len(ends[0])] == pytest.approx(ends[0], rel=5e-4)
    assert levels[-len(ends[1]) :] == pytest.approx(ends[1], abs=6e-5, rel=1e-4)


def test_every_schedule_is_compared_with_webui() -> None:
    assert set(WEBUI) == set(SCHEDULES)


def test_beta_levels_are_the_quantiles_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    quantiles = special.betaincinv(0.6, 0.6, 1 - np.linspace(0, 1, 30))

    expected = TABLE.smallest + quantiles * (TABLE.largest - TABLE.smallest)
    assert sigmas("Beta", TABLE, 30)[:-1] == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_published_levels_of_align_your_steps_come_out_at_their_own_number() -> None:
    assert sigmas("Align Your Steps", TABLE, 11)[3:6] == pytest.approx([2.697, 1.886, 1.396])


def test_karras_levels_are_those_of_the_formula() -> None:
    ramp = torch.linspace(0, 1, 10, dtype=torch.float64)
    low, high = TABLE.smallest ** (1 / 7), TABLE.largest ** (1 / 7)

    assert sigmas("Karras", TABLE, 10)[:-1] == pytest.approx(((high + ramp * (low - high)) ** 7).tolist(), rel=1e-12)


def test_uniform_levels_are_those_of_evenly_spaced_timesteps() -> None:
    levels = sigmas("Uniform", TABLE, 8)

    assert [TABLE.timestep(level) for level in levels[:-1]] == pytest.approx([999 - 999 / 7 * i for i in range(8)])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 1000])
def test_a_schedule_falls_to_its_end(name: str, steps: int) -> None:
    levels = sigmas(name, TABLE, steps)

    assert all(level > following for level, following in itertools.pairwise(levels))
    assert levels[-1] == pytest.approx(TABLE.smallest if name == "KL Optimal" else 0.0)
    if name != "DDIM":  # which begins below the largest, and makes whole strides
        assert len(levels) == steps + 1
        assert levels[0] == pytest.approx(TABLE.largest, rel=1e-4)


@pytest.mark.parametrize("name", ["Uniform", "Karras", "Exponential", "Beta", "Align Your Steps"])
def test_before_zero_comes_the_smallest(name: str) -> None:
    assert sigmas(name, TABLE, 7)[-2] == pytest.approx(TABLE.smallest, rel=7e-3)


@pytest.mark.parametrize(("steps", "levels"), [(30, 32), (20, 21), (1, 2)])
def test_the_ddim_schedule_makes_whole_strides(steps: int, levels: int) -> None:
    assert len(sigmas("DDIM", TABLE, steps)) == levels


def test_the_table_is_what_torch_computes() -> None:
    """In float64, kept as float32: the way of CompVis' and k-diffusion's code."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, dim=0).float()
    expected = ((1 - kept) / kept) ** 0.5

    ulps = (torch.tensor(TABLE.sigmas).view(torch.int32) - expected.view(torch.int32)).abs()
    assert ulps.max() <= 1
    assert (TABLE.smallest, TABLE.largest) == pytest.approx((0.02917, 14.6146), abs=5e-5)


@given(st.floats(min_value=0, max_value=999))
def test_a_timestep_survives_the_way_to_sigma_and_back(timestep: float) -> None:
    assert TABLE.timestep(TABLE.sigma(timestep)) == pytest.approx(timestep, abs=1e-6)


@pytest.mark.parametrize("timestep", [0, 1, 500, 998, 999])
def test_whole_timesteps_have_the_sigmas_of_the_table(timestep: int) -> None:
    assert TABLE.sigma(timestep) == pytest.approx(TABLE.sigmas[timestep], rel=1e-12)


def test_between_two_timesteps_the_logarithm_is_linear() -> None:
    assert TABLE.sigma(10.5) == pytest.approx((TABLE.sigmas[10] * TABLE.sigmas[11]) ** 0.5)


@pytest.mark.parametrize(("sigma", "timestep"), [(1e-6, 0), (1e6, 999)])
def test_sigmas_outside_the_table_get_its_ends(sigma: float, timestep: float) -> None:
    assert TABLE.timestep(sigma) == timestep


def test_an_unknown_schedule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValue, match=r"'Carras' is no schedule .*Karras"):
        sigmas("Carras", TABLE, 10)


# What a request says of the ends


def wanted(name: str, steps: int = 10, **said: float | bool) -> list[float]:
    return sigmas(name, TABLE.overridden(Overrides(**said)), steps)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Karras", "Exponential", "Polyexponential", "Normal", "Beta"])
def test_a_schedule_begins_and_ends_where_a_request_says(name: str) -> None:
    levels = wanted(name, smallest=0.1, largest=10.0)

    assert (levels[0], levels[-2]) == pytest.approx((10.0, 0.1), rel=1e-6)


def test_the_schedules_without_a_last_level_keep_to_a_requests_ends_too() -> None:
    ends = {"smallest": 0.1, "largest": 10.0}

    assert wanted("SGM Uniform", **ends)[:-1] == pytest.approx(wanted("Normal", 11, **ends)[:10])
    assert wanted("KL Optimal", **ends)[-1] == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["Uniform", "Simple", "DDIM", "Align Your Steps"])
def test_schedules_with_levels_of_their_own_do_not_hear_of_ends_as_in_webui(name: str) -> None:
    assert wanted(name, smallest=0.1, largest=10.0, rho=3.0) == sigmas(name, TABLE, 10)


@pytest.mark.parametrize("rho", [1.0, 3.0, 7.0])
def test_rho_bends_karras_and_polyexponential(rho: float) -> None:
    share, (low, high) = 1 - 4 / 9, (TABLE.smallest, TABLE.largest)

    karras = (high ** (1 / rho) + 4 / 9 * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    polyexponential = np.exp(share**rho * (np.log(high) - np.log(low)) + np.log(low))
    assert wanted("Karras", rho=rho)[4] == pytest.approx(karras)
    assert wanted("Polyexponential", rho=rho)[4] == pytest.approx(polyexponential)
    assert wanted("Exponential", rho=rho) == sigmas("Exponential", TABLE, 10)


def test_discarding_leaves_out_the_last_level_but_one_of_a_longer_schedule() -> None:
    euler, table = known()["Euler"], TABLE.overridden(Overrides(discard=True))

    longer = sigmas("Karras", TABLE, 11)
    assert euler.levels("Karras", table, 10) == [*longer[:-2], 0.0]
    assert known()["DPM2"].levels("Karras", table, 10) == known()["DPM2"].levels("Karras", TABLE, 10)


def test_sdxl_has_published_levels_of_its_own() -> None:
    table = SigmaTable(family("sdxl").noise, aligned=ALIGNED["sdxl"])

    assert sigmas("Align Your Steps", table, 11)[:4] == pytest.approx([14.615, 6.315, 3.771, 2.181])
    assert sigmas("Align Your Steps", table, 10)[-2:] == pytest.approx([0.029, 0.0])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 20, 1001])
def test_no_two_levels_are_one_whatever_the_model(name: str, steps: int) -> None:
    for table in (TABLE, SigmaTable(FlowTime())):
        assert all(level > following for level, following in itertools.pairwise(sigmas(name, table, steps)))


def test_a_flows_schedules_are_made_in_its_time() -> None:
    """As ComfyUI makes them: Karras' rule over sigma would spend half the steps where nothing is decided."""
    table = SigmaTable(FlowTime(shift=1.0))
    times = [level / (1 + level) for level in sigmas("Karras", table, 3)[:3]]

    first, last = 0.9999 ** (1 / 7), 0.001 ** (1 / 7)
    assert times == pytest.approx([0.9999, ((first + last) / 2) ** 7, 0.001])

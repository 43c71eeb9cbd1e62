"""What is written is read back as the same request, for all that a request can say."""

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inference.images.inputs import Inputs
from inference.infotext import read_infotext
from inference.infotext.models import NamedModel
from inference.infotext.recall import recall
from inference.infotext.write import infotext
from inference.plan import LoadPlan, ModelPlan
from inference.plan import NamedModel as PlannedModel
from inference.request import (
    ControlUse,
    Faces,
    GenerationRequest,
    Hires,
    Init,
    Mask,
    Outpaint,
    Refiner,
    Soft,
    Tiles,
    Variation,
)
from inference.weights.parts import Part
from modelhub import __version__
from modelhub.families import family

NAMES = {
    f"{number:x}" * 64: name for number, name in enumerate(("tiny", "soft", "kip", "sharp", "fine", "canny", "eyes"), 1)
}
TINY, SOFT, KIP, SHARP, FINE, CANNY, EYES = NAMES
PICTURE = "0123456789abcdef" * 4


def plan(request: GenerationRequest, channels: int = 4) -> LoadPlan:
    """As resolving would make it, of a UNet with so many channels."""
    unet = Part("unet", "x", {"in_channels": channels}, Path("x"), {}, {})
    base = ModelPlan(
        family=family("sd1"),
        prediction="epsilon",
        resolution=512,
        parts={"unet": unet},
        model=PlannedModel(NAMES[request.model], request.model),
        vae=PlannedModel("soft.safetensors", request.vae) if request.vae else None,
    )
    return LoadPlan(request=request, base=base, used=(), inputs=Inputs(Path("x")), names=NAMES)


def find(named: NamedModel) -> str | None:
    """The catalog of those names: by digest, then by name."""
    held = [digest for digest in NAMES if named.digest and digest.startswith(named.digest)]
    return next(iter(held), None) or next((one for one, name in NAMES.items() if named.name.startswith(name)), None)


def written(request: GenerationRequest, **changes: object) -> str:
    made = replace(plan(request), **changes) if changes else plan(request)
    return infotext(made, request.seeds[0])


def fields_line(text: str) -> str:
    return text.rsplit("\n", 1)[1]


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]) | st.sampled_from(' ,:"'), max_size=20).map(
    str.strip
)
WORDS = st.lists(LINE.filter(lambda line: not line.startswith("Negative prompt:") and "<" not in line), max_size=3).map(
    lambda lines: "\n".join(lines).strip()
)
SHARE = st.floats(0, 1)
SOFTS = st.builds(Soft, schedule_bias=st.floats(0, 8), contrast_boost=st.floats(1, 32), mask_influence=SHARE)
MASKS = st.builds(
    Mask, image=st.sampled_from([None, PICTURE]), invert=st.booleans(),
    blur_x=st.integers(0, 64), blur_y=st.integers(0, 64),
    content=st.sampled_from(["fill", "original", "latent noise", "latent nothing"]), only_masked=st.booleans(),
    round=st.booleans(), conditioning=SHARE, soft=st.none() | SOFTS,
)  # fmt: skip
INITS = st.builds(
    Init, image=st.just(PICTURE), denoise=SHARE, resize=st.sampled_from(["stretch", "crop", "fill", "latent"]),
    upscaler=st.sampled_from([None, "Lanczos", SHARP]), noise_multiplier=st.floats(0, 1.5), extra_noise=SHARE,
    exact_steps=st.booleans(), colour_correction=st.booleans(), background=st.sampled_from(["#ffffff", "#01aB00"]),
    mask=st.none() | MASKS,
    outpaint=st.none() | st.builds(Outpaint, left=st.integers(0, 2048), method=st.sampled_from(["mk2", "poor"]),
                                   blur=st.none() | st.integers(0, 64), falloff=st.floats(0, 4), colours=SHARE),
)  # fmt: skip
SIZES = st.one_of(
    st.builds(dict, scale=st.floats(1, 8)),
    st.builds(dict, scale=st.none(), width=st.integers(8, 9999), height=st.none() | st.integers(8, 9999)),
)
HIRES = st.builds(
    lambda size, **rest: Hires(**size, **rest), SIZES, upscaler=st.sampled_from(["Latent (nearest)", "Lanczos", SHARP]),
    denoise=SHARE, steps=st.none() | st.integers(1, 99), cfg=st.none() | st.floats(0, 100),
    model=st.sampled_from([None, FINE]),
    sampler=st.sampled_from([None, "Euler"]), schedule=st.sampled_from([None, "Karras"]),
    prompt=st.none() | WORDS, negative_prompt=st.none() | WORDS,
)  # fmt: skip
CONTROLS = st.builds(
    ControlUse, ref=st.just(CANNY), image=st.just(PICTURE), preprocessor=st.sampled_from(["none", "canny"]),
    options=st.lists(st.floats(0, 300), max_size=3).map(tuple), weight=st.floats(0, 2), start=SHARE, end=SHARE,
    mode=st.sampled_from(["balanced", "prompt", "control"]), resize=st.sampled_from(["stretch", "crop", "fill"]),
)  # fmt: skip
POSITIVE = st.floats(min_value=1e-3, max_value=1000)
REQUESTS = st.builds(
    GenerationRequest, prompt=WORDS, negative_prompt=WORDS, model=st.just(TINY), vae=st.sampled_from([None, SOFT]),
    controls=st.lists(CONTROLS, max_size=2).map(tuple), sampler=st.sampled_from(["Euler a", "DPM++ 2M", "DPM++ SDE"]),
    schedule=st.sampled_from(["Karras", "Uniform", "Align Your Steps"]), steps=st.integers(1, 1000),
    cfg=st.floats(0, 100), image_cfg=st.floats(0, 100), min_uncond=st.floats(0, 10), seed=st.integers(0, 2**32 - 1),
    variation=st.none() | st.builds(Variation, seed=st.integers(0, 2**32 - 1), strength=st.floats(0.01, 1)),
    seed_resize=st.none() | st.tuples(st.integers(8, 4096), st.integers(8, 4096)),
    width=st.integers(8, 1024).map(lambda side: side * 8), height=st.integers(8, 1024).map(lambda side: side * 8),
    tiling=st.booleans(), pad=st.sampled_from(["none", "empty", "repeat"]),
    clip_skip=st.integers(1, 12), comma_backtrack=st.integers(0, 74), eta=st.none() | SHARE,
    s_churn=st.floats(0, 100), s_tmin=st.floats(0, 10), s_tmax=st.floats(0, 10), s_noise=st.floats(0, 2),
    noise=st.sampled_from(["NV", "CPU"]), ensd=st.integers(0, 2**32 - 1), discard_next_to_last=st.booleans(),
    sigma_min=st.none() | POSITIVE, sigma_max=st.none() | POSITIVE, rho=st.none() | POSITIVE,
    init=st.none() | INITS, hires=st.none() | HIRES,
    refiner=st.none() | st.builds(Refiner, model=st.just(FINE), switch_at=st.floats(0.01, 0.99),
                                  in_hires=st.sampled_from(["second pass", "first pass", "both passes"])),
    tiles=st.none() | st.builds(Tiles, scale=st.floats(1, 8), overlap=st.integers(0, 512), upscaler=st.just(SHARP)),
    shift=st.none() | POSITIVE.filter(lambda shift: shift <= 100),
    faces=st.none() | st.builds(Faces, model=st.just(EYES), visibility=SHARE),
)  # fmt: skip
PLAIN = GenerationRequest(prompt="a cat", model=TINY, seed=1, width=512, height=768, schedule="Karras")


@given(request=REQUESTS)
@example(request=PLAIN)
@example(request=PLAIN.model_copy(update={"init": Init(image=PICTURE, denoise=1), "hires": Hires(denoise=0)}))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_request_is_read_back_as_it_was_written(request: GenerationRequest) -> None:
    recalled = recall(read_infotext(written(request)), find)

    assert recalled.missing == ()
    assert GenerationRequest.model_validate(recalled.fields) == request


@given(text=st.text(max_size=200) | st.text(alphabet=' ,:"\\{}[]<>x1\n', max_size=60))
def test_reading_never_fails(text: str) -> None:
    read_infotext(text)
    read_infotext(f"{text}\nSteps: 1, Seed: 2, {text}, Size: 8x8")


def test_loras_of_the_prompt_come_back_as_references() -> None:
    request = PLAIN.model_copy(update={"prompt": f"a <lora:{KIP}:0.5:0.7> cat"})

    text = written(request)

    assert text.startswith("a <lora:kip:0.5:0.7> cat\n")
    assert recall(read_infotext(text), find).fields["prompt"] == request.prompt


def test_a_second_pass_is_written_in_webuis_words_and_order() -> None:
    hires = Hires(
        scale=1.5, upscaler=SHARP, denoise=0.6, steps=7, model=FINE, sampler="Euler", schedule="Karras",
        prompt="a dog", negative_prompt="x, y",
    )  # fmt: skip
    request = PLAIN.model_copy(update={"hires": hires, "refiner": Refiner(model=SOFT, switch_at=0.75)})

    assert fields_line(written(request)) == (
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x768, "
        "Model hash: 1111111111, Model: tiny, Denoising strength: 0.6, RNG: NV, Hires checkpoint: fine [5555555555], "
        'Hires sampler: Euler, Hires prompt: a dog, Hires negative prompt: "x, y", Hires schedule type: Karras, '
        "Hires upscale: 1.5, Hires steps: 7, Hires upscaler: sharp, Hires upscaler hash: 4444444444, "
        f"Refiner: soft [2222222222], Refiner switch at: 0.75, Version: ModelHub {__version__}"
    )


def test_inpainting_is_written_in_webuis_words_and_order() -> None:
    mask = Mask(image=PICTURE, invert=True, blur_x=8, blur_y=8, only_masked=True, content="latent noise", soft=Soft())
    init = Init(image=PICTURE, denoise=0.4, noise_multiplier=0.9, extra_noise=0.1, mask=mask)
    said = {"init": init, "eta": 0.5, "s_churn": 2, "variation": Variation(seed=5, strength=0.25), "ensd": 31337}
    request = PLAIN.model_copy(update={**said, "clip_skip": 2, "tiling": True, "seed_resize": (512, 512)})

    assert re.search(r"Model: tiny, (.*), Version", infotext(plan(request, channels=9), request.seeds[0]))[1] == (  # type: ignore[index]
        "Variation seed: 5, Variation seed strength: 0.25, Seed resize from: 512x512, Denoising strength: 0.4, "
        f"Conditional mask weight: 1, Clip skip: 2, ENSD: 31337, Init image hash: {PICTURE}, RNG: NV, Tiling: True, "
        "Mask mode: Inpaint not masked, Mask blur: 8, Inpaint area: Only masked, Masked area padding: 32, "
        "Masked content: latent noise, Soft inpainting enabled: True, Soft inpainting schedule bias: 1, "
        "Soft inpainting preservation strength: 0.5, Soft inpainting transition contrast boost: 4, "
        "Soft inpainting mask influence: 0, Soft inpainting difference threshold: 0.5, "
        f"Soft inpainting difference contrast: 2, Mask image hash: {PICTURE}, Noise multiplier: 0.9, Extra noise: 0.1, "
        "Eta: 0.5, Sigma churn: 2"
    )


def test_a_controlnet_is_one_quoted_value() -> None:
    use = ControlUse(ref=CANNY, image=PICTURE, preprocessor="canny", options=(100, 200), weight=0.8, mode="control")

    assert (
        'ControlNet 0: "Module: canny, Model: canny [6666666666], Weight: 0.8, Resize Mode: Crop and Resize, '
        "Threshold A: 100, Threshold B: 200, Guidance Start: 0, Guidance End: 1, Pixel Perfect: False, "
        f'Control Mode: ControlNet is more important, Image: {PICTURE}", Version'
    ) in written(PLAIN.model_copy(update={"controls": (use,)}))


def test_guidance_by_the_picture_is_written_for_models_that_see_it() -> None:
    assert "Image CFG scale" not in written(PLAIN)
    assert "CFG scale: 7, Image CFG scale: 1.5, Seed: 1" in infotext(plan(PLAIN, channels=8), PLAIN.seeds[0])

"""What ComfyUI, InvokeAI and NovelAI write into pictures is read as far as it goes."""

import json
from typing import Any

from inference.infotext.foreign import told_by
from inference.infotext.read import read_infotext
from inference.infotext.write_back import spelled


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


GRAPH = {
    "3": node("KSampler", seed=5, steps=12, cfg=6.5, sampler_name="dpmpp_2m", scheduler="karras", denoise=1.0,
              model=["10", 0], positive=["6", 0], negative=["7", 0], latent_image=["5", 0]),
    "4": node("CheckpointLoaderSimple", ckpt_name="xl\\base.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
    "6": node("CLIPTextEncode", text="a cat", clip=["11", 0]),
    "7": node("CLIPTextEncode", text=["12", 0], clip=["11", 0]),
    "12": node("StringConstant", string="blurry"),
    "8": node("VAEDecode", samples=["3", 0], vae=["13", 0]),
    "13": node("VAELoader", vae_name="soft.safetensors"),
    "9": node("SaveImage", images=["8", 0]),
    "10": node("LoraLoader", model=["14", 0], clip=["14", 1], lora_name="kip.safetensors",
               strength_model=0.8, strength_clip=0.6),
    "14": node("LoraLoader", model=["4", 0], clip=["4", 1], lora_name="a/b.safetensors",
               strength_model=1, strength_clip=1),
    "11": node("CLIPSetLastLayer", stop_at_clip_layer=-2, clip=["10", 1]),
}  # fmt: skip


def test_a_plain_graph_is_read_whole() -> None:
    told = told_by({"prompt": json.dumps(GRAPH), "workflow": "{}"})

    assert told
    assert told.prompt == "a cat <lora:b:1:1> <lora:kip:0.6:0.8>"
    assert told.negative_prompt == "blurry"
    assert told.fields == {
        "Steps": "12",
        "CFG scale": "6.5",
        "Seed": "5",
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "Size-1": "512",
        "Size-2": "768",
        "Model": "base",
        "VAE": "soft.safetensors",
        "Clip skip": "2",
        "RNG": "CPU",
    }
    assert len(told.unread) == 1


def test_what_a_graph_holds_beside_is_said() -> None:
    graph = {
        **GRAPH,
        "20": node("KSampler", seed=6, latent_image=["3", 0]),
        "21": node("ControlNetApply", conditioning=["6", 0]),
        "3": node("KSampler", **{**GRAPH["3"]["inputs"], "positive": ["21", 0], "sampler_name": "res_multistep"}),
    }

    told = told_by({"prompt": json.dumps(graph)})

    assert told
    assert told.prompt.startswith("a cat")
    assert told.unread[1:] == (
        "its sampler 'res_multistep' is not known here",
        "nodes that were not understood: ControlNetApply",
        "it sampled 2 times; only the first pass is taken over",
    )


def test_graphs_that_mislead_are_survived() -> None:
    circle = {"1": node("KSampler", model=["2", 0], positive=["3", 0]), "2": node("X", model=["2", 0])}
    for graph in ({}, {"1": 3}, {"1": {"class_type": None}}, circle, {"1": node("KSampler", positive=["9", 0])}):
        told = told_by({"prompt": json.dumps(graph)})
        assert told is None or told.prompt == ""


def test_invokeai_is_read() -> None:
    said = {
        "positive_prompt": "a cat", "negative_prompt": "blurry", "steps": 30, "cfg_scale": 7.5, "seed": 9, "width": 512,
        "height": 640, "scheduler": "dpmpp_2m_k", "clip_skip": 1, "model": {"name": "tiny", "hash": "blake3:ab"},
        "loras": [{"model": {"name": "kip"}, "weight": 0.7}], "controlnets": [{}],
    }  # fmt: skip
    told = told_by({"invokeai_metadata": json.dumps(said)})

    assert told
    assert (told.prompt, told.negative_prompt) == ("a cat <lora:kip:0.7>", "blurry")
    assert (told.fields["Sampler"], told.fields["Schedule type"], told.fields["Clip skip"]) == (
        "DPM++ 2M",
        "Karras",
        "2",
    )
    assert told.fields["Model"] == "tiny"
    assert "ControlNets are left out" in told.unread


def test_invokeais_second_version_is_read() -> None:
    image = {"prompt": [{"prompt": "a cat [bad]"}], "steps": 5, "seed": 3, "sampler": "k_euler_a"}
    said = {"model_weights": "tiny", "image": image}

    told = told_by({"sd-metadata": json.dumps(said)})

    assert told
    assert (told.prompt, told.fields["Sampler"], told.fields["Model"]) == ("a cat [bad]", "Euler a", "tiny")


def test_novelai_is_read_with_its_habits() -> None:
    said = {"steps": 28, "sampler": "k_euler", "scale": 11, "seed": 4, "uc": "bad", "width": 512, "height": 768}

    told = told_by({"Software": "NovelAI", "Description": "a cat", "Comment": json.dumps(said)})

    assert told
    assert (told.prompt, told.negative_prompt) == ("a cat", "bad")
    assert (told.fields["Sampler"], told.fields["Clip skip"], told.fields["ENSD"]) == ("Euler", "2", "31337")


def test_nothing_is_made_of_nothing() -> None:
    assert told_by({}) is None
    assert told_by({"prompt": "no json", "invokeai_metadata": "[]", "parameters": " "}) is None


def test_another_tools_parameters_are_spelled_as_text_that_reads_the_same() -> None:
    told = told_by({"prompt": json.dumps(GRAPH)})

    assert told
    again = read_infotext(spelled(told))
    assert (again.prompt, again.negative_prompt, dict(again.fields)) == (
        told.prompt,
        told.negative_prompt,
        dict(told.fields),
    )

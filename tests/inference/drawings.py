"""Every kind of picture that `modelhub generate` draws, as it is typed in `everything.write_everything`'s folder."""

from tests.inference.everything import ALGORITHMS

__all__ = ["KINDS", "QUICK"]

QUICK = "-m tiny --steps 2 --seed 7 --size 64x64 --quiet"
INPAINT = "--init old.png --mask mask.png --denoise 0.8"
HIRES = "--hires 1.5x --hires-steps 1"
KINDS = {
    "txt2img": "'a (red:1.3) cat, [dog:fish:0.5]' -n blue",
    "words of all sorts": "'a cat,\n\"Steps: 9\", 50% 猫 : \\(x\\) # no comment' -n 'x\nNegative: y, Seed: 3'",
    "starter": "'a red fish' -m starter",
    "starter, second pass": "'a red fish' -m starter --hires 2x --hires-steps 1 --hires-denoise 0.5",
    "Stable Diffusion 2": "'a cat' -m second",
    "SDXL": "'a cat' -m wide",
    "variation": "'a cat' --variation 99:0.4",
    "third of a variation": "'a cat' --variation 99:0.4 --count 3",
    "seed of another size": "'a cat' --seed-resize 96x64",
    "third of three": "'a cat' --count 3",
    "noise of the processor": "'a cat' --noise CPU --sampler 'Euler a'",
    "noise of a card": "'a cat' --noise NV --sampler 'Euler a' --ensd 31337",
    "Brownian noise": "'a cat' --sampler 'DPM++ 2M SDE' --schedule Karras",
    "churned noise": "'a cat' --sampler Euler --s-churn 5 --s-noise 1.01 --s-tmin 0.1 --s-tmax 50",
    "ends of a schedule": "'a cat' --schedule Polyexponential --sigma-min 0.1 --sigma-max 12 --rho 2",
    "fewer levels": "'a cat' --discard-next-to-last --min-uncond 5 --eta 0.5 --sampler 'Euler a' --steps 3",
    "DDIM": "'a cat' --sampler DDIM --eta 0.5",
    "texts": "'a (red) cat, BREAK a dog' --clip-skip 2 --emphasis 'No norm' --comma-backtrack 3 --pad empty",
    "VAE": "'a cat' --vae soft",
    "UNet and text encoder": "'a cat' --unet other --text-encoder other",
    "img2img": "'a cat' --init old.png --denoise 0.6 --noise-multiplier 1.1 --extra-noise 0.05 --colour-correction",
    "img2img of another size": "'a cat' --init old.png --size 96x64 --resize-mode crop --exact-steps",
    "latent resize": "'a cat' --init old.png --size 96x64 --resize-mode latent",
    "inpainted": f"'a cat' {INPAINT} --masked-content 'latent noise' --mask-blur 3,2",
    "inpainted outside": f"'a cat' {INPAINT} --mask-invert --masked-content fill",
    "inpainted alone": f"'a cat' {INPAINT} --only-masked --mask-padding 8",
    "inpainted softly": f"'a cat' {INPAINT} --soft bias=2,preservation=0.3",
    "grown": "'a cat' --init old.png --outpaint left=64,blur=4",
    "grown poorly": "'a cat' --init old.png --outpaint up=64 --outpaint-method poor",
    "pix2pix": "'make it a cat' -m edits --init old.png --image-cfg 2",
    "inpainting checkpoint": f"'a cat' -m inpainting {INPAINT} --mask-conditioning 0.9",
    "second pass over latents": f"'a cat' {HIRES} --hires-upscaler 'Latent (bicubic)' --hires-denoise 0.5",
    "second pass over pixels": f"'a cat' {HIRES} --hires-upscaler Lanczos",
    "second pass by a model": "'a cat' --hires 96x0 --hires-upscaler sharp",
    "second pass of its own": f"'a cat' {HIRES} --hires-model other --hires-prompt 'a dog <lora:lora:0.5>' "
    "--hires-negative bad --hires-cfg 3 --hires-sampler 'Euler a'",
    "refiner": "'a cat' -m wide --refiner last --refiner-switch 0.5",
    "refiner in both passes": "'a cat' -m wide --refiner last --refiner-switch 0.5 --refiner-pass 'both passes' "
    f"{HIRES} --hires-upscaler Nearest",
    "pattern": "'a cat' --tiling",
    "SD upscale": "'a cat' --init old.png --denoise 0.4 --sd-upscale 1.5 --tile-overlap 16 --upscaler sharp",
    "last of a loop": "'a cat' --init old.png --denoise 0.8 --loopback 2 --loopback-denoise 0.4",
    "ControlNet": "'a cat' --control 'canny(50,150):net=old.png;weight=0.8;end=0.9;mode=prompt'",
    "LoRA in the prompt": "'a cat <lora:lora:0.7:0.4>'",
    "LoRA block by block": "'a cat' --lora lora=0.8@OUTALL",
    "some ranks of a LoRA": "'a cat <lora:lora:1:1:1>'",
    **{name: f"'a cat' --lora {name}=0.8" for name in ("lora", "locon", *ALGORITHMS)},
    "several adapters": "'a cat <lora:loha:0.5>' --lora lora=0.8,0.3 --lora dora",
    "hypernetwork": "'a cat <hypernet:hyper:0.6>'",
    "embedding": "'a cat, (easycat:1.2)' -n easycat",
    "style": "'a cat' --style ink",
    "wildcards": "'a __colour__ {cat|dog}' -n '{mist|fog}'",
    "second of a list": "'' --prompts prompts.txt",
}  # fmt: skip
"""What it is called -> what is typed behind `modelhub generate`; the last picture is drawn again."""

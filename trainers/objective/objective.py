"""What a denoiser is asked for: noised latents, targets, and what its answers cost."""

from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from trainers.objective.losses import HUBERS, errors, huber_c
from trainers.objective.masks import masked_mean
from trainers.objective.targets import TARGETS
from trainers.objective.weights import snr_weights
from trainers.predictions import check_objective
from trainers.recipe import LossOptions

__all__ = ["Objective"]


@dataclass(frozen=True)
class Objective:
    """One prediction type over one table of noise levels.

    Timesteps are whole numbers, [B], int64; of a flow any between, its time being t / T.
    """

    prediction: str
    sigmas: Tensor
    """Of every training timestep, ascending, [T], float32; of a flow only T counts."""
    loss: LossOptions = field(default_factory=LossOptions)
    zero_snr: bool = False
    """Whether the last sigma stands for one without end: nothing is left of the picture there."""

    def __post_init__(self) -> None:
        check_objective(self.prediction, self.loss, zero_snr=self.zero_snr)

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t = sqrt(abar) x0 + sqrt(1 - abar) noise, of a flow (1 - t) x0 + t noise; [B, C, h, w]."""
        signal, spread = self._shares(timesteps)
        return _wide(signal) * latents + _wide(spread) * noise

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What an answer should be, [B, C, h, w]."""
        signal, spread = self._shares(timesteps)
        return TARGETS[self.prediction](latents, noise, _wide(signal), _wide(spread))

    def losses(
        self, output: Tensor, latents: Tensor, noise: Tensor, timesteps: Tensor, *,
        masks: Tensor | None = None, target: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """What the answers cost, [B]: errors, by their masks, a mean over each sample, by its timestep's weight.

        `target` stands in for what latents and noise come to; sd-scripts' order of factors.
        """
        wanted = self.target(latents, noise, timesteps) if target is None else target
        apart = errors(output, wanted, self._huber_c(timesteps), self.loss.kind)
        return masked_mean(apart, masks, self.loss) * self.weights(timesteps)

    def weights(self, timesteps: Tensor) -> Tensor:
        """Of each sample, [B], by its signal-to-noise ratio."""
        signal, spread = self._shares(timesteps)
        return snr_weights((signal / spread).square(), self.prediction, self.loss)

    def _huber_c(self, timesteps: Tensor) -> Tensor | None:
        if self.loss.kind not in HUBERS:
            return None
        return _wide(huber_c(timesteps / len(self.sigmas), *self._shares(timesteps), self.loss))

    def _shares(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """What is left of the picture, and how much noise there is, [B] each."""
        if self.prediction == "flow":
            time = timesteps.float() / len(self.sigmas)
            return 1 - time, time
        signal, spread = self._table
        return signal[timesteps], spread[timesteps]

    @cached_property
    def _table(self) -> tuple[Tensor, Tensor]:
        """sqrt(abar) and sqrt(1 - abar) of each timestep, [T]: sigma is their ratio, and they square to 1."""
        sigmas = self.sigmas.double()
        signal, spread = (sigmas**2 + 1).rsqrt(), sigmas * (sigmas**2 + 1).rsqrt()
        if self.zero_snr:
            signal[-1], spread[-1] = 0.0, 1.0
        return signal.float(), spread.float()


def _wide(shares: Tensor) -> Tensor:
    return shares[:, None, None, None]

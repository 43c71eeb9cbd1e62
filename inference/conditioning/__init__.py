"""Chunks of tokens -> the tensors a denoiser is conditioned on, one file a way."""

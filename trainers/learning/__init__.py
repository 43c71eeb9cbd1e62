"""The only training loop, and what a step is made of: samples -> losses -> gradients -> parameters."""

"""New models out of others: sums and differences of checkpoints, parts put in, LoRAs baked in and taken out."""

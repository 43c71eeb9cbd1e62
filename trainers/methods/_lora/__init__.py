"""What a LoRA is made of: where it learns, the factors of one layer, how they meet the base, how they are written."""

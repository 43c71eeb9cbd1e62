"""What is learned from, ready to be batched: sizes, buckets, views, latents at hand, captions as encodings."""

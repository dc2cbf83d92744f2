"""Ways to fuse modalities: one file each, found by its name."""

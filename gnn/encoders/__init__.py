"""One modality per file."""

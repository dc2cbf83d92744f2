"""The graph becomes scores: tensors, encoders, models, training, evaluation, publishing."""

"""Figures of the stores: how fast each is filled, kept up and asked."""

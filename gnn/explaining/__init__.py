"""What a score rests on: paths, edges, modalities, columns and sentences, and whether that is so."""

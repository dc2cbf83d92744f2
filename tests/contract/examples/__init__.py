"""One small example per source: files it reads, and one it must refuse."""

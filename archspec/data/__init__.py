"""Data sets: generated or read, kept packed on disk, cut into batches. PyG is imported only to read its own sets."""

"""Data sets: generated or read, kept packed on disk, cut into batches. Nothing here imports PyG."""

"""The structure of graphs: reach(k), distances, random walks, Laplacian eigenvectors, with torch alone.

The study of exact encodings (`exact`, `receptive`) needs numpy alone.
"""

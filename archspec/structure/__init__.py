"""The structure of graphs: reach(k), distances, random walks, Laplacian eigenvectors. It depends on torch alone."""

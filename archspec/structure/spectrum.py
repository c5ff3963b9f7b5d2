"""Eigenvectors of the normalised Laplacian I - D^(-1/2) A D^(-1/2) of the undirected version of graphs.

Dwivedi et al., Benchmarking Graph Neural Networks, JMLR 2023, section 4.2. A node without edges has the row of I.
"""

import torch
from torch import Tensor

from archspec.structure.dense import Chunk, Edges

EQUAL = 1e-6
"""Eigenvalues, and squares of entries, that differ by less count as equal."""


def eigenvectors(edges: Edges, count: int) -> Tensor:
    """The first eigenvectors by ascending eigenvalue, the very first left out, then zeros: [nodes, count] in float64.

    Orthonormal. Eigenvalues that are equal share a space, for which the basis is chosen by the numbering of the nodes
    alone: take the node whose unit vector lies closest to the space (the first of equals), project it, normalise, go
    on in the rest of the space. Of a simple eigenvalue the entry of largest magnitude is therefore positive.
    """
    out = torch.zeros(edges.nodes, count, dtype=torch.float64, device=edges.ptr.device)
    for part in edges.chunks:
        matrices = laplacians(part)
        sizes, starts = part.real.sum(1).tolist(), edges.node_ptr[part.graphs].tolist()
        for at, (size, start) in enumerate(zip(sizes, starts, strict=True)):
            # Without padding, so that its bits do not depend on what else is in the batch.
            values, vectors = torch.linalg.eigh(matrices[at, :size, :size])
            chosen = canonical(values, vectors, count + 1)[:, 1:]
            out[start : start + size, : chosen.shape[1]] = chosen
    return out


def laplacians(part: Chunk) -> Tensor:
    """[graphs, size, size] in float64; what is padding is not read."""
    joined = (part.adjacency | part.adjacency.transpose(1, 2)).double()
    scale = joined.sum(2).clamp(min=1).rsqrt()
    return part.itself.double() - scale.unsqueeze(2) * joined * scale.unsqueeze(1)


def canonical(values: Tensor, vectors: Tensor, count: int) -> Tensor:
    """At most so many eigenvectors, [size, ≤ count], by the rule of `eigenvectors`."""
    ends = (values.diff() > EQUAL).nonzero().flatten().add(1).tolist()
    spaces, begin = [], 0
    for end in (*ends, len(values)):
        if begin < count:
            spaces.append(basis(vectors[:, begin:end]))
        begin = end
    return torch.cat(spaces, 1)[:, :count]


def basis(space: Tensor) -> Tensor:
    """The basis of one eigenspace, [size, dimensions] to the same."""
    rest = space @ space.T
    found = []
    for _ in range(space.shape[1]):
        closeness = rest.diagonal()
        pivot = int((closeness >= closeness.max() - EQUAL).nonzero()[0])
        found.append(rest[:, pivot] / closeness[pivot].sqrt())
        rest = rest - torch.outer(found[-1], found[-1])
    return torch.stack(found, 1)

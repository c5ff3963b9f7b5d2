"""What a model has to beat: a rule on the degree where that says much, else the best constant prediction."""

import torch

from archspec.data.floor import Floor, degree_floor
from archspec.data.load import DataSet
from archspec.data.split import Split
from archspec.train.folder import Record
from archspec.train.kinds import Kind
from archspec.train.metrics import Scores
from archspec.train.tally import Tally


def floor_of(kind: Kind, data: DataSet) -> Record:
    """The rule in words, what it goes by, and its scores on every split."""
    facts = data.facts
    if kind.score == "acc" and facts.task == "node classification" and (found := degree_floor(data)):
        rule = f"{found.rule}, fitted on the training split"
        return {"rule": rule, "what": "the degree alone", **scores_of(found)}
    rule, prediction = kind.constant(labels(data.train))
    return {
        "rule": rule,
        "what": "a constant",
        **{name: constant(kind, prediction, split) for name, split in data.splits.items()},
    }


def labels(split: Split) -> torch.Tensor:
    """The labels of a split as those of a batch are, numbers in float64."""
    y = torch.from_numpy(split.labels.copy())
    return y.double() if y.is_floating_point() else y.long()


def constant(kind: Kind, prediction: torch.Tensor, split: Split) -> Scores:
    """The scores of one prediction [out] for all rows of a split."""
    y = labels(split)
    everywhere = prediction.double().expand(len(y), -1)
    tally = Tally(kind)
    tally.add(everywhere, kind.entries(everywhere, y), y)
    return tally.scores()


def scores_of(floor: Floor) -> Record:
    """The floor's scores as those of a module are written."""
    keys = ("acc", "acc_0", "acc_1")
    known = {split: [None if one != one else one for one in values] for split, values in floor.scores.items()}
    return {split: dict(zip(keys, values, strict=True)) for split, values in known.items()}

"""What a spec file may say, apart from its equations: pydantic models, forbidding unknown keys.

The descriptions and defaults here are the source of the table of settings in `docs/settings.md` and of the JSON Schema.
"""

import re
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)
from pydantic_core import PydanticCustomError

from archspec.syntax.spellings import (
    LossName,
    ScoreName,
    TorchSchedule,
    loss_name,
    schedule_name,
    score_name,
)

Scalar = int | float | str | bool | None

Number = int | float


class Settings(BaseModel):
    """A section of plain settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


SIZED = "[1-9][0-9]* nodes"
"""A batch size that is no number of graphs."""


def form(wrong: str, cure: str) -> PydanticCustomError:
    """A value that is not of the form it must have, with what to write."""
    return PydanticCustomError("form", "{wrong}", {"wrong": wrong, "cure": cure})


def sized(value: object) -> object:
    """A number of graphs above 0, or `4000 nodes`."""
    text = value if isinstance(value, str) else ""
    if re.fullmatch(SIZED, text) or (type(value) is int and value > 0):
        return value
    shown = (
        f"the text `{text}`" if text else f"`{value}`".lower() if isinstance(value, int | float) else "something else"
    )
    meant = re.fullmatch("0*([1-9][0-9]*)nodes?", re.sub(r"[\s,_]", "", text))
    cure = f"write `{meant[1]} nodes`" if meant else "write a number of graphs, `32`, or of nodes, `4000 nodes`"
    raise form(f"must be a number of graphs above 0, or one of nodes such as `4000 nodes`, found {shown}", cure)


BatchSize = Annotated[PositiveInt | Annotated[str, Field(pattern=f"^{SIZED}$")], BeforeValidator(sized)]
"""How large a batch may be."""


class DataSettings(Settings):
    """What to train on."""

    name: str = Field(
        description="a data set of `docs/data.md` (`pattern`, `zinc`, …), a class of `torch_geometric.datasets`, "
        "or your own: a folder (`./graphs`) or a function (`package.module:function`)"
    )
    batch_size: BatchSize = Field(
        32, description="graphs in a training batch, or how many nodes they may have together: `4000 nodes`"
    )
    buckets: Annotated[int, Ge(2)] | None = Field(
        None,
        description="sort the graphs of so many batches by their nodes before they are cut, so that graphs of like "
        "size meet; null leaves it to chance",
    )
    limit: PositiveInt | None = Field(
        None, description="use only the first so many graphs of every split, of folds so many at random"
    )
    seed: NonNegativeInt = Field(
        0, description="seed a generated data set is drawn with, or one that comes without folds is split with"
    )
    fold: NonNegativeInt | None = Field(
        None, description="which split to use, from 0, of a data set that has several; null for 0"
    )
    options: dict[str, Scalar] = Field(default_factory=dict, description="options of the data set itself")


class GroupSettings(Settings):
    """Options of the optimiser for the weights that a pattern stands for; other keys are checked as its own are."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    lr: PositiveFloat | None = Field(None, description="their learning rate; null for that of the optimiser")


class OptimizerSettings(Settings):
    """An optimiser of `torch.optim`; other keys are passed on to it and checked against its signature."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    name: str = Field("adam", description="a class of `torch.optim`, in any case: `adam`, `adamw`, `sgd`, …")
    lr: PositiveFloat = Field(1e-3, description="learning rate, the same default for every optimiser")
    groups: dict[str, GroupSettings] = Field(
        default_factory=dict,
        description="other options for some weights, by patterns over their names: `{layers.0.*: {lr: 1e-4}}`; "
        "norms and single numbers have no weight decay unless a pattern says so",
    )


class PlateauSettings(Settings):
    """Multiply the learning rate when the validation loss stops improving."""

    name: Literal["plateau"] = Field(description="multiply the rate when the validation loss stops improving")
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.5, description="factor on the learning rate")
    patience: NonNegativeInt = Field(5, description="epochs without improvement that are let pass before it is applied")
    threshold: NonNegativeFloat = Field(1e-4, description="relative decrease of the loss that counts as improvement")
    min_lr: NonNegativeFloat = Field(1e-5, description="training stops when the learning rate falls below this")


class CosineSettings(Settings):
    """Linear warm-up, then a half cosine down to `min_lr` at the end of the last epoch."""

    name: Literal["cosine"] = Field(description="linear warm-up, then half a cosine, both changing at every step")
    warmup: NonNegativeInt = Field(0, description="epochs of linear warm-up, fewer than `epochs`")
    min_lr: NonNegativeFloat = Field(0.0, description="learning rate at the end")


class ConstantSettings(Settings):
    """Leave the learning rate as it is."""

    name: Literal["constant"] = Field("constant", description="leave the rate as it is")


class TorchSettings(Settings):
    """A schedule of `torch.optim.lr_scheduler`; other keys are passed on to it and checked against its signature."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    name: Annotated[TorchSchedule, BeforeValidator(schedule_name)] = Field(
        description="a class of `torch.optim.lr_scheduler`, in any case"
    )
    every: Literal["epoch", "step"] | None = Field(
        None, description="when it goes on; null for `step` where torch's page says so (`OneCycleLR`, `CyclicLR`)"
    )


OWN_SCHEDULES = ("plateau", "cosine", "constant")


def form_of_schedule(value: object) -> str | None:
    """Whether a schedule is one of archspec's own, by its name, or one of torch's."""
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
    return "torch" if schedule_name(name) in get_args(TorchSchedule) else str(name) if name is not None else None


Schedule = Annotated[
    Annotated[PlateauSettings, Tag("plateau")]
    | Annotated[CosineSettings, Tag("cosine")]
    | Annotated[ConstantSettings, Tag("constant")]
    | Annotated[TorchSettings, Tag("torch")],
    Discriminator(form_of_schedule),
]


Seed = Annotated[NonNegativeInt, Field(lt=2**63)]


def several(value: object) -> object:
    """Seeds: at least one, none twice."""
    wrong = not isinstance(value, list) or not value or len(value) > len({str(one) for one in value})
    if value is not None and (wrong or not all(type(one) is int and 0 <= one < 2**63 for one in value)):  # type: ignore[attr-defined]
        cure = "such as `[41, 95, 12, 35]`, or null for `train.seed` alone"
        raise form("must be a list of different seeds, whole numbers that are not negative", cure)
    return value


class WatchSettings(Settings):
    """What is looked at while a model trains, apart from the norms of gradients, which every step gives."""

    every: PositiveInt | None = Field(
        50, description="steps between two looks at weights and at values of the equations; null looks at none"
    )
    parameters: list[str] = Field(
        default_factory=lambda: ["*"],
        description="parameters that are looked at: patterns over names, `*` for any run of characters",
    )
    values: list[str] | None = Field(
        None,
        description="values that are looked at, likewise (`layers.0.gate.*`); null takes those that have a name in the "
        "equations, relus, gates and attention",
    )


class TrainSettings(Settings):
    """How to train."""

    epochs: PositiveInt = Field(100, description="epochs at most")
    seed: Seed = Field(0, description="seed of the initial weights, the order of graphs and dropout")
    seeds: Annotated[list[int] | None, BeforeValidator(several)] = Field(
        None, description="train once with each of these in place of `seed`: `[41, 95, 12, 35]`"
    )
    optimizer: OptimizerSettings = Field(default_factory=lambda: OptimizerSettings(), description="the optimiser")
    schedule: Schedule = Field(default_factory=lambda: ConstantSettings(), description="learning rate over time")
    loss: Annotated[LossName | None, BeforeValidator(loss_name)] = Field(
        None,
        description="the loss, by this name or by torch's (`CrossEntropyLoss`, `l1_loss`); null takes that of the data "
        "set's benchmark or task; `weighted_cross_entropy` weights classes by (V - n_c)/V in the batch",
    )
    loss_options: dict[str, Number | list[Number]] = Field(
        default_factory=dict,
        description="torch's options of the loss, such as `{label_smoothing: 0.1}` or `{weight: [1, 5]}`",
    )
    clip: PositiveFloat | None = Field(None, description="largest norm of the whole gradient; null leaves it alone")
    monitor: Annotated[ScoreName | None, BeforeValidator(score_name)] = Field(
        None, description="validation score that picks the best checkpoint; null takes the data set's main score"
    )
    patience: PositiveInt | None = Field(
        None, description="stop after so many epochs without a better `monitor`; null never stops early"
    )
    select: Literal["best", "last"] = Field(
        "best", description="the epoch whose test score is the result: the best by `monitor`, or the last"
    )
    averaging: Literal["split", "batch"] = Field(
        "split", description="scores are those of a whole split, or means over its batches, as some papers report"
    )
    test_every: PositiveInt | None = Field(
        1, description="epochs between scores on the test split; null for the end only (best and last epoch)"
    )
    checkpoint_every: PositiveInt = Field(1, description="epochs between checkpoints")
    eval_batch_size: BatchSize = Field(
        128, description="graphs in a batch of validation and test, or `16000 nodes`; changes scores by rounding only"
    )
    threads: Annotated[PositiveInt, Le(1024)] | None = Field(
        None, description="CPU threads, on which the last bits depend; null takes what torch takes"
    )
    precision: Literal[32, 64, "bf16"] = Field(
        32, description="bits of a number; `bf16`: products in bfloat16, weights, sums, losses and scores in 32 bits"
    )

    watch: WatchSettings = Field(
        default_factory=lambda: WatchSettings(), description="what is recorded of gradients, weights and values"
    )


UNTIL = re.compile(r"until epoch ([1-9][0-9]*)")
"""How a weight is said to be frozen at first."""


def initial(value: object) -> object:
    """A number, or rows of numbers of equal length."""
    numbers(value)
    return value


def numbers(value: object) -> tuple[int, ...]:
    """The shape of rows of numbers. Raises the problem of what is none."""
    if isinstance(value, list) and value:
        shapes = {numbers(item) for item in value}
        if len(shapes) > 1:
            raise form("has rows of different lengths", "write as many numbers in every row")
        return (len(value), *shapes.pop())
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        shown = f"`{value}`" if isinstance(value, str | bool | int | float) else "something else"
        cure = "write a number, rows of numbers or `{name: xavier_uniform_}`"
        if isinstance(value, str):
            infinite = value.lstrip("+-") in ("inf", "infinity")
            cure = "write `.inf` or `-.inf`" if infinite else f"for a function of that name write `{{name: {value}}}`"
        raise form(f"must be numbers or a section with the name of a function, found {shown}", cure)
    return ()


def freezing(value: object) -> object:
    """`true`, `false`, or the epoch in which training begins."""
    found = UNTIL.fullmatch(value) if isinstance(value, str) else None
    if not isinstance(value, bool) and found is None:
        raise form("must be true, false or `until epoch` with a number", "such as `until epoch 20`")
    if found and int(found[1]) < 2:
        raise form("freezes nothing: epoch 1 is the first", "write `false`, or a later epoch")
    return value


class InitSettings(Settings):
    """A function of `torch.nn.init`; other keys are its options, checked against a table."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    name: str = Field(description="a function of `torch.nn.init`: `xavier_uniform_`, `normal_`, …")


def form_of_init(value: object) -> str:
    """Whether an initial value is a section or numbers."""
    return "function" if isinstance(value, dict | BaseModel) else "values"


Init = Annotated[
    Annotated[InitSettings, Tag("function")] | Annotated[Any, BeforeValidator(initial), Tag("values")],
    Discriminator(form_of_init),
]


class ParameterSettings(Settings):
    """What is said of the weights that a pattern stands for."""

    init: Init = Field(
        None, description="initial value: a number, rows of numbers, or `{name: xavier_uniform_, gain: 2}`"
    )
    frozen: Annotated[Any, BeforeValidator(freezing)] = Field(
        None, description="`true`, or `until epoch 20`: trains from that epoch on"
    )


Text = int | float | bool | str
"""An equation: text, or a number or truth value that YAML has already read."""


class ModelSettings(Settings):
    """The architecture, as text; `archspec.syntax.parser` reads the equations."""

    sizes: dict[str, Text] = Field(default_factory=dict, description="named axes and numbers")
    input: str = Field(description="the states, from the data: `x = encode(x, d)`")
    stack: str = Field(description="the blocks in order: `4 * layer`")
    output: str = Field(description="the prediction: `linear(x, out)`")
    where: dict[str, Text] = Field(default_factory=dict, description="definitions")
    penalty: str | None = Field(None, description="a value added to the loss")


class CometSettings(Settings):
    """An experiment of Comet's, on its server or in an archive of the run folder."""

    project: str = Field("archspec", description="the project it belongs to")
    workspace: str | None = Field(None, description="the workspace; null takes that of your Comet configuration")
    mode: Literal["auto", "online", "offline"] = Field(
        "auto", description="`auto` sends to the server where there is a key, and makes an archive where there is none"
    )
    weights: Literal["best", "last", "both", "none"] = Field("best", description="the weights that are logged")


class TrackioSettings(Settings):
    """A run in trackio's local dashboard."""

    project: str = Field("archspec", description="the project it belongs to")


class TensorBoardSettings(Settings):
    """Event files in the run folder; there is nothing to set."""


class TrackSettings(Settings):
    """Experiment trackers; each that has an entry is used."""

    comet: CometSettings | None = Field(None, description="Comet")
    trackio: TrackioSettings | None = Field(None, description="trackio, a local dashboard; extra `ui`")
    tensorboard: TensorBoardSettings | None = Field(None, description="TensorBoard; extra `tensorboard`")

    @property
    def chosen(self) -> tuple[str, ...]:
        """The trackers that are used."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


class ProtocolSettings(Settings):
    """A published protocol whose settings stand in the spec."""

    name: str = Field(description="a protocol of `docs/protocols.md`")
    filled: bool = Field(False, description="that its settings stand in this file and are not filled in again")


class SpecSettings(Settings):
    """A whole spec file after `extends` and `uses` have been merged."""

    name: str = Field(description="what the architecture is called")
    about: str = Field("", description="one line on it")
    model: ModelSettings = Field(description="the architecture")
    parameters: dict[str, ParameterSettings] = Field(
        default_factory=dict, description="initial values and freezing, by patterns over the names of weights"
    )
    data: DataSettings | None = Field(None, description="what to train on")
    train: TrainSettings = Field(default_factory=lambda: TrainSettings(), description="how to train")
    protocol: ProtocolSettings | None = Field(
        None, description="a published protocol, which sets all of `train:` that the file does not: `gps`"
    )
    track: TrackSettings | None = Field(None, description="experiment trackers")

"""Several processes that train one model come to the numbers of one process with a batch as large as all of theirs."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from archspec.commands.main import main
from archspec.diagnostics import SpecError
from archspec.facts import table
from archspec.runtime import processes as runtime
from archspec.runtime.norms import batch_norm
from archspec.runtime.processes import SharedBatchNorm, share_norms
from archspec.syntax.schema import TrainSettings
from archspec.train import device, kinds
from archspec.train.folder import RunFolder
from archspec.train.processes import ALONE, Together, joined
from tests.together import BATCH, FAULTS, SPECS, call
from tests.training import differing, untimed

ROOT = Path(__file__).parent.parent
EXACT = 1e-10


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Runs of two processes and of one, with the same data."""
    path = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHSPEC_CACHE", str(path / "cache"))
        for name, text in SPECS.items():
            (path / f"{name}.yaml").write_text(f"name: {name}\n{text}")
            if name != "chance":
                call(path, name, 2 * BATCH, f"{name}-1")
        command = ["torchrun", "--nproc-per-node", "2", "-m", "tests.together", str(path)]
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", *command[1:]], cwd=ROOT, capture_output=True, text=True
        )
    assert (path / "lost.txt").exists(), done.stdout + done.stderr
    return path


def numbers(record: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number in nested records, those of values aside, which a process takes of its own graphs."""
    if isinstance(record, dict):
        for key, value in record.items():
            if (path[-1:], key) != (("health",), "values"):
                yield from numbers(value, (*path, key))
    elif isinstance(record, float | int):
        yield path, float(record)


def apart(folder: Path, one: str, other: str) -> float:
    """The largest difference of any number that two runs have recorded, or of their weights."""
    runs = [RunFolder(folder / name) for name in (one, other)]
    records = [dict(numbers(dict(enumerate(untimed(made.records()))))) for made in runs]
    results = [{key: value for key, value in numbers(made.result()) if "seconds" not in key[0]} for made in runs]
    weights = [load_file(made.weights("last")) for made in runs]
    found = [abs(records[0][key] - records[1][key]) for key in records[0] | records[1]]
    found += [abs(results[0][key] - results[1][key]) for key in results[0] | results[1]]
    return max([*found, *(float((weights[0][key] - weights[1][key]).abs().max()) for key in weights[0])])


@pytest.mark.parametrize("spec", [name for name in SPECS if name != "chance"])
def test_two_processes_are_one_with_twice_the_batch(folder, spec):
    assert apart(folder, f"{spec}-1", f"{spec}-2") < EXACT


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_would_show(folder, fault):
    records = [RunFolder(folder / name).records()[:1] for name in ("uneven-1", fault)]
    found, wanted = (dict(numbers(dict(enumerate(untimed(one))))) for one in records)
    assert max(abs(found[key] - wanted[key]) for key in wanted) > 1e-6


def test_all_stop_where_one_is_asked_to_and_go_on_with_the_same_bits(folder):
    made = RunFolder(folder / "interrupted")
    assert (folder / "stopped").exists()
    assert len(made.told()["resumed"]) == 1
    assert made.told()["processes"] == 2
    assert differing(RunFolder(folder / "chance-2"), made) == []


def test_a_process_that_was_killed_is_told(folder):
    assert "E0662 another process of this run has ended" in (folder / "lost.txt").read_text()
    assert "torchrun --nproc-per-node 2 -m archspec train --resume RUN" in (folder / "lost.txt").read_text()


def test_another_number_of_processes_cannot_go_on(folder):
    arguments = ["train", "--resume", str(folder / "chance-2"), "--set=train.epochs=3"]
    with pytest.raises(SpecError) as caught:
        main.main(arguments, standalone_mode=False, obj={})
    assert caught.value.diagnostics[0].code == "E0614"
    assert "2 processes" in caught.value.diagnostics[0].message


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as found:
        assert found is ALONE


@pytest.mark.parametrize(("count", "batches"), [(2, 5), (3, 3), (4, 1), (3, 7)])
def test_every_batch_is_of_one_process_and_all_have_as_many(monkeypatch, count, batches):
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: count)
    shares = []
    for number in range(count):
        monkeypatch.setattr("torch.distributed.get_rank", lambda number=number: number)
        shares.append(Together().share(list(range(batches)), None))
    assert len({len(one) for one in shares}) == 1
    rounds = [one for together in zip(*shares, strict=True) for one in together if one is not None]
    assert rounds == list(range(batches))


class Twin(nn.Module):
    """A batch norm under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.one = self.two = nn.BatchNorm1d(3)


@pytest.fixture
def mirrored(monkeypatch):
    """As if another process had the very same rows."""
    monkeypatch.setattr(runtime, "add_up", lambda x: x.mul_(2))


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(("rows", "affine"), [(0, True), (1, True), (5, True), (5, False)])
def test_shared_batch_norm_is_that_of_all_rows(mirrored, rows, affine, momentum):
    torch.manual_seed(0)
    usual = nn.BatchNorm1d(3, momentum=momentum, affine=affine).double()
    for parameter in usual.parameters():
        nn.init.normal_(parameter)
    ours = runtime.shared(copy.deepcopy(usual))
    x = torch.randn(rows, 3, dtype=torch.float64)
    both, half = torch.cat([x, x]).requires_grad_(), x.clone().requires_grad_()
    wanted, found = batch_norm(both, usual), batch_norm(half, ours)
    weights = torch.randn(rows, 3, dtype=torch.float64)
    (wanted * torch.cat([weights, weights])).sum().backward()
    (found * weights).sum().backward()
    torch.testing.assert_close(found, wanted[:rows])
    torch.testing.assert_close(half.grad, both.grad[:rows])
    torch.testing.assert_close(ours.state_dict(), usual.state_dict())


def test_a_loss_is_of_what_all_processes_know():
    """Two processes have the same rows, of whose numbers one is not known."""
    facts = replace(table.TABLE["zinc"], out=2)
    kind = kinds.make(facts, TrainSettings.model_validate({"loss": "mse"}), torch.zeros(3, 2))
    entries, y = torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, torch.nan]])
    assert 2 * kind.loss(entries, y, lambda known: 2 * known) == kind.loss(entries, y) == 2


def test_norms_keep_their_weights_and_stay_tied():
    module = Twin()
    before = dict(module.state_dict())
    share_norms(module)
    assert module.one is module.two
    assert type(module.one) is SharedBatchNorm
    assert all(
        before[name] is not None and before[name].data_ptr() == one.data_ptr()
        for name, one in module.state_dict().items()
    )
    assert module.one.weight is dict(module.named_parameters())["one.weight"]


@pytest.mark.parametrize(
    ("name", "gpus", "message"),
    [
        ("cuda", 1, "2 processes on this machine need as many GPUs: torch finds 1"),
        ("cuda:0", 2, "`cuda:0` is one device"),
    ],
)
def test_each_process_needs_a_gpu_of_its_own(monkeypatch, name, gpus, message):
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
    with pytest.raises(SpecError, match=message) as caught:
        device.choose(name, (1, 2))
    assert caught.value.diagnostics[0].code == "E0607"


def test_a_process_takes_the_gpu_of_its_number(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert str(device.choose("cuda", (1, 2))) == "cuda:1"
    assert json.dumps(str(device.choose("cpu", (1, 2)))) == '"cpu"'

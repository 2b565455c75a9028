"""`History`: as text, as a file, as a plot, and its best epoch."""

import json

import pytest

import nn

from .quadrants import fit, make


def test_the_history_prints_as_a_table():
    model, optimizer = make()
    lines = str(fit(model, optimizer, metrics={"accuracy": nn.metrics.accuracy})).splitlines()
    assert lines[0].split() == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "gradient_norm", "seconds",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]
    assert len({len(line) for line in lines}) == 1


def test_the_history_is_saved_with_all_digits(tmp_path):
    model, optimizer = make()
    history = fit(model, optimizer)
    history.to_json(tmp_path / "history.json")
    again = nn.History.from_json(tmp_path / "history.json")
    assert again.epochs == history.epochs
    assert again.steps == history.steps
    for by, rows in (("epoch", history.epochs), ("step", history.steps)):
        history.to_csv(tmp_path / "history.csv", by=by)
        header, *lines = (tmp_path / "history.csv").read_text().splitlines()
        assert header.split(",") == list(rows)
        assert [[float(cell) for cell in line.split(",")] for line in lines] == [
            list(row) for row in zip(*rows.values(), strict=True)
        ]


def test_figures_that_are_not_finite_survive_a_file(tmp_path):
    history = nn.History()
    history.add_epoch({"epoch": 1, "loss": float("inf")})
    history.to_json(tmp_path / "h.json")
    json.loads((tmp_path / "h.json").read_text(), parse_constant=pytest.fail)
    assert nn.History.from_json(tmp_path / "h.json")["loss"] == [float("inf")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": {"loss": [1], "epoch": []}, "epochs": {}}', "\xff"])
def test_what_is_no_history_is_refused(text, tmp_path):
    (tmp_path / "h.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="is not a history file"):
        nn.History.from_json(tmp_path / "h.json")


def test_the_best_epoch_is_found():
    history = nn.History()
    for epoch, loss, accuracy in ((1, 0.5, 0.7), (2, 0.2, 0.9), (3, float("nan"), 0.8)):
        history.add_epoch({"epoch": epoch, "val_loss": loss, "val_accuracy": accuracy})
    assert history.best()["epoch"] == 2
    assert history.best("val_accuracy")["epoch"] == 2
    assert history.best("val_accuracy", mode="min")["epoch"] == 1
    with pytest.raises(KeyError, match="no column 'val_auc' by epoch; it has epoch, val_loss"):
        history["val_auc"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_history_is_plotted(suffix, tmp_path):
    model, optimizer = make()
    history = fit(model, optimizer, metrics={"accuracy": nn.metrics.accuracy})
    figure = history.plot(tmp_path / f"history.{suffix}")
    assert figure._repr_png_().startswith(b"\x89PNG")  # which notebooks ask for
    assert [axes.get_title() for axes in figure.axes] == ["Loss", "Metrics", "Gradient and learning rate"]
    assert (tmp_path / f"history.{suffix}").stat().st_size > 1000

"""The progress of a training: bars in terminals and notebooks, lines in logs."""

import io
import sys
import types

from nn.training.progress import Progress


def test_a_log_gets_a_line_for_each_epoch_and_a_terminal_a_bar():
    log = io.StringIO()
    progress = Progress("auto", epochs=2, steps=3, file=log)
    for epoch in (1, 2):
        for _ in range(3):
            progress.step()
        progress.epoch({"epoch": epoch, "loss": 0.123456, "seconds": 1.0})
    progress.close()
    assert log.getvalue() == "epoch 1/2  loss 0.1235  seconds 1\nepoch 2/2  loss 0.1235  seconds 1\n"

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    progress = Progress("auto", epochs=1, steps=2, file=terminal)
    progress.step()
    progress.step()
    progress.close()
    assert "\r" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_a_notebook_gets_a_bar_though_its_output_is_no_terminal(monkeypatch):
    class ZMQInteractiveShell:
        pass

    kernel = types.ModuleType("IPython")
    kernel.get_ipython = ZMQInteractiveShell
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    output = io.StringIO()
    progress = Progress(True, epochs=1, steps=1, file=output)
    progress.step()
    progress.close()
    assert "1/1" in output.getvalue()

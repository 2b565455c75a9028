"""Settings of the process that decide how fast arrays and graphs are made and freed: the allocator and the collector.

A training step makes many large temporary arrays. glibc returns freed blocks to the system, and each page of the next
array costs another page fault. With the two thresholds raised, a chain of 1,000 operations on 128 x 128 arrays takes
half the time, forward and backward; one of 100 operations on 512 x 512 arrays takes three quarters; and steps of dense
networks take the same time. A recorded graph has many small objects without cycles, and the cyclic collector would walk
through all of them again and again while the graph grows.
"""

from __future__ import annotations

import gc
import os
import sys

_VARIABLE = "AUTOGRAD_LITE_TUNE_MEMORY"

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 1 << 30
_DEFAULT_THRESHOLDS = ((700, 10, 10), (2000, 10, 10))
_YOUNG_COLLECTION_AFTER = 2000
_FULL_COLLECTION_AFTER = 1000


is_tuned = False
"""Whether `tune_memory` has set the allocator, or there is nothing to set."""


def tune_memory() -> bool:
    """Keep freed blocks in the process, and run full garbage collections less often; runs once, at import.

    On glibc, blocks of up to 1 GiB come from the heap, and up to 1 GiB of free heap is kept (``mallopt`` with
    ``M_MMAP_THRESHOLD`` and ``M_TRIM_THRESHOLD``). CPython's full collection waits for 1000 collections of the middle
    generation instead of 10, and a collection of the young generation for 2000 new objects, as in newer Pythons,
    instead of 700; unless the program has set its own thresholds. Nothing happens on other systems, or with the
    environment variable ``AUTOGRAD_LITE_TUNE_MEMORY=0``.

    Returns
    -------
    bool
        Whether the settings were allowed.
    """
    if os.environ.get(_VARIABLE, "1").strip().lower() in ("0", "false", "no", "off"):
        return False
    if gc.get_threshold() in _DEFAULT_THRESHOLDS:
        gc.set_threshold(_YOUNG_COLLECTION_AFTER, 10, _FULL_COLLECTION_AFTER)
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    global is_tuned
    is_tuned = True
    return True

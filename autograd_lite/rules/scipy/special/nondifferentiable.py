"""The ufuncs of `scipy.special` without a rule, with reasons; for a tensor that requires a gradient they raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import special

_REASONS: dict[str, str] = {
    "returns its derivative itself, as its second result": (
        "pbdv pbvv pbwa mathieu_cem mathieu_sem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2 "
        "obl_ang1 obl_ang1_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv pro_rad1 pro_rad1_cv "
        "pro_rad2 pro_rad2_cv"
    ),
    "its derivative has no closed form in functions of SciPy": (
        "besselpoly kolmogorov kolmogi smirnov smirnovi mathieu_a mathieu_b obl_cv pro_cv zetac elliprj nctdtr "
        "nctdtrit ncfdtr ncfdtri"
    ),
    "computes a parameter of a distribution, and has no derivative in closed form": (
        "bdtrik bdtrin btdtria btdtrib chdtriv chndtridf chndtrinc fdtridfd gdtrib nbdtrik nbdtrin ncfdtridfd "
        "ncfdtridfn ncfdtrinc nctdtridf nctdtrinc pdtrik stdtridf"
    ),
    "is scaled by a factor that has no derivative for complex numbers; use the function without the e": "airye jve yve",
}

NO_DERIVATIVE: dict[Callable[..., Any], str] = {
    getattr(special, name): reason
    for reason, names in _REASONS.items()
    for name in names.split()
    if hasattr(special, name)
}
"""The ufuncs without a rule, with the reason."""

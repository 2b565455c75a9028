"""The machine code that runs stretches of a plan, with Numba installed; without it a plan is NumPy calls.

`kernels` is its source, `machine` compiles, keeps and loads it; `operations` says how calls are written down for it,
`lowering` writes them, and a `segment` is a stretch of them. Matrix products are NumPy's own BLAS, called by `blas`.
"""

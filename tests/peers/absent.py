"""Which calls of the table of specifications the peers lack: a function's name, a call's, or that of one example."""

NOT_IN_TORCH = {
    # No function, or no derivative of it.
    "cbrt", "floor_divide", "heaviside", "ldexp", "astype", "bincount", "full_like", "ix_",
    *(f"pad {mode}{far}" for mode in ("edge", "reflect", "symmetric", "wrap") for far in ("", ", far")),
    # Other arguments: no plain arrays, lists and numbers beside tensors; no order, no tuple of axes, no axis=None.
    "add x + integers", "multiply x * infinite", "power x ** integers", "power x ** unsigned", "power integers ** x",
    "power x, list", "maximum x, number", "minimum number, x", "arctan2 list, x", "clip bounds alone", "clip no bounds",
    "clip bounds of which some are crossed of 0d 2x1 3", "prod two zeros", "sum initial", "einsum optimize",
    "reshape -1", "reshape order F", "reshape method, order F", "ravel order F", "expand_dims two", "transpose method",
    "roll one axis twice", "roll array of shifts", "concatenate axis=None", "concatenate plain array",
    "concatenate whole tensor", "stack plain array", "stack whole tensor", "vstack list", "split index beyond",
    "pad two constants", "take_along_axis flattened",
    "vdot of 0d 0d", "vdot of 2x3 2x3", "vdot of 2x3 3x2",
    # Methods of its own.
    "max method", "var method", "std method", "cumsum method", "dot method", "repeat method", "take method",
    # Indices that it reads in another way.
    "getitem x[::-1]", "getitem x[5:0:-2]", "getitem x[1, ..., ::-1]", "getitem x[np.False_]", "getitem x[unsigned]",
    "getitem x[integers, ::-1]", "getitem x[:, integers, None, 0]",
}  # fmt: skip

NOT_IN_AUTOGRAD = {
    # No rule.
    "positive", "negative -x", "cbrt", "copy", "float_power", "copysign", "fmod", "heaviside", "ldexp", "ptp",
    "cumprod", "bincount", "full_like", "ix_", "vdot", "broadcast_arrays", "flip", "unstack", "take", "take_along_axis",
    "atleast_2d two", "dot method", "clip bounds alone", "clip bounds of which some are crossed",
    # A rule for other arguments only.
    "arctan2 list, x", "power x, list", "clip min=", "clip max=", "clip method max=", "trace axes 2 and 0",
    "trace axes -1 and -3", "transpose method", "transpose negative axes", "swapaxes mT", "roll axes",
    "roll one axis twice", "concatenate axis=None", "repeat of 0d", "repeat counts", "repeat counts of all",
    "broadcast_to of 2x3", "broadcast_to of 3", "broadcast_to of 0d", "broadcast_to empty", "outer of 0d 0d",
    "outer of 2x2 1x3", "outer of 0d 3", "tile none", "pad constant", "pad constant 5", "pad pairs of equals",
    *(f"pad {mode}{far}" for mode in ("edge", "reflect", "symmetric", "wrap") for far in ("", ", far")),
    # An argument that was broadcast gets a gradient of the broadcast shape.
    "where of 0d 2x3", "where of 2x1 3", "where of 1x3 0d", "where narrow condition of 0d 2x3",
    "where narrow condition of 2x1 3", "where narrow condition of 1x3 0d", "where condition of its own of 0d 2x3",
    "where condition of its own of 2x1 3", "where number of 0d", "where number of 0x1x1",
    "einsum ij,ij->i", "einsum i,i->", "einsum i,i,i-> of 1 1 3",
    # 0 / 0 beside a zero; subscripts with a recurring label; sums over the wrong copies; a list of bools as numbers.
    "prod with a zero", "prod axis=0 with a zero", "prod axis=(2, 0), keepdims=True with a zero", "prod two zeros",
    "einsum ii", "einsum ii->i", "einsum iij->ij", "einsum iji->j", "einsum ijij->ij", "einsum iii", "einsum iii->i",
    "einsum ii,i->i", "einsum ii,jj->ij", "einsum ii,ik->k", "einsum ...ii->...i",
    "tile of 2x3", "tile fewer than axes", "repeat axis", "getitem x[list of bool]",
    "split overlapping", "hsplit of 3",
}  # fmt: skip

NOT_IN_JAX = {
    # No function, no derivative, or not for complex numbers.
    "change_of_cofactors", "clip", "eig", "fix", "gradient by coordinates", "gradient edge_order=2",
    "histogram_bin_edges", "median",
    "nanmedian", "nextafter", "polydiv", "real_if_close", "svd full, with the null space unused", "partition",
    # Other arguments: no lists of numbers.
    "compress", "delete", "ediff1d ends", "histogram weights", "insert rows", "insert several", "polyint",
    "power x, list", "repeat counts", "repeat counts of all", "roots", "take", "vstack list", "pad pairs of equals",
    "split index beyond", "split overlapping", "transpose one axis", "getitem x[list of bool]",
    "getitem x[negative recurring]", "getitem x[none of them]", "getitem x[one of them]", "getitem x[recurring]",
    "getitem x[np.False_]", "quantile array of q", "quantile method=hazen", "quantile method=median_unbiased",
    "quantile method=weibull",
    # No vectors, no arrays without elements; leading zeros stay.
    *(f"{function} k={k} of 3" for function in ("tril", "triu") for k in (0, 1, -1)),
    "ix_ of 0 3", "polymul leading zeros",
    # It takes the other neighbour of a quantile that lies half-way.
    "quantile method=nearest",
    # It takes 0 for the derivative of sets and of a complex sign, and NaN for that of the deviation of equals.
    "intersect1d", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "sign", "std of 0d", "std of 1", "std axis=None, keepdims=True of 0d",
}  # fmt: skip

"""What people write by habit who come from other libraries, and what to write here: answers to names that are missing.

One name means one thing here, so the names of PyTorch, JAX, Keras, scikit-learn and HIPS autograd are not taken over
beside NumPy's; whoever writes one is told which it is here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

Answers = Mapping[str, str]
"""From a name that is missing to what to write, as the end of a sentence that begins with the missing name."""


def no_attribute(owner: str, name: str, answers: Answers, obj: Any) -> AttributeError:
    """The error for an attribute that an object has not, with what to write if that is known.

    Examples
    --------
    >>> no_attribute("'Tensor' object", "view", TENSOR, None)
    AttributeError("'Tensor' object has no attribute 'view'; write x.reshape(shape)")
    """
    answer = answers.get(name)
    return AttributeError(f"{owner} has no attribute {name!r}{(answer and f'; {answer}') or ''}", name=name, obj=obj)


def no_argument(title: str, name: str, answers: Answers) -> TypeError:
    """The error for a keyword argument that a function has not, with what to write if that is known.

    Answers under ``"title:name"`` are for the function of that title, and come before others.

    Examples
    --------
    >>> no_argument("sum", "dim", KEYWORDS)
    TypeError("sum: there is no argument 'dim'; write axis=")
    """
    answer = answers.get(f"{title}:{name}") or answers.get(name)
    return TypeError(f"{title}: there is no argument {name!r}{(answer and f'; {answer}') or ''}")


def check_keywords(function: Callable[..., Any], title: str, keywords: Mapping[str, Any], answers: Answers) -> None:
    """Raise for a keyword argument that a function has not, if it is known what to write instead.

    Raises
    ------
    TypeError
    """
    known = [name for name in keywords if name in answers or f"{title}:{name}" in answers]
    if not known:
        return
    parameters = inspect.signature(function).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        for name in known:
            if name not in parameters:
                raise no_argument(title, name, answers)


def answering(answers: Answers, usage: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function, so that an argument that it has not is answered by what to write; others by its usage.

    Examples
    --------
    >>> @answering({"dim": "write axis="})
    ... def total(x, axis=0):
    ...     return np.sum(x, axis)
    >>> total(np.eye(2), dim=1)
    Traceback (most recent call last):
    ...
    TypeError: total: there is no argument 'dim'; write axis=
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                # Raised at the call itself, since no frame is below this one's.
                if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                    check_keywords(function, function.__name__, kwargs, answers)
                    if usage:
                        raise TypeError(f"{error}; {usage}") from None
                raise

        return call

    return decorate


class Answering:
    """A class whose missing attributes, and arguments of its constructor, are answered by what to write.

    A subclass says the answers in `_attributes` and `_keywords`.
    """

    __slots__ = ()

    _attributes: ClassVar[Answers] = {}
    _keywords: ClassVar[Answers] = {}

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        if cls.__init__ is object.__init__ and (args or kwargs):
            for name in kwargs:
                raise no_argument(cls.__name__, name, cls._keywords)
            raise TypeError(f"{cls.__name__}() takes no arguments")
        if kwargs:
            check_keywords(cls.__init__, cls.__name__, kwargs, cls._keywords)
        return super().__new__(cls)

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property, whose own error says more
        raise no_attribute(f"{type(self).__name__!r} object", name, self._attributes, self)


class _Tensor(dict[str, str]):
    """The answers of a tensor: functions of NumPy are named where no method is."""

    def get(self, name: str, default: Any = None) -> Any:
        if name in self or name.startswith("_"):
            return super().get(name, default)
        if callable(function := getattr(np, name, None)):
            return f"write np.{name}(x)" if getattr(function, "nin", 2) == 1 else f"write np.{name}(x, ...)"
        if name.endswith("_") and (answer := self.get(name[:-1])):
            return f"a tensor is not changed in place: {answer}; for a leaf, assign to x.data"
        return default


_NOT_A_DEVICE = "arrays are NumPy's, on the CPU; leave it out"
_ZERO = "write x.zero_grad() for a gradient, or x.data = np.zeros_like(x.data) for a leaf's numbers"
_ASSIGNED = "a tensor is not changed in place; write x.data = np.full_like(x.data, value) for a leaf"
_INTEGERS = "write x.data.astype({}): integers and truth values carry no gradient"

TENSOR: Answers = _Tensor({
    # PyTorch
    "numpy": "write x.data, the array",
    "clone": "write x.copy()",
    "view": "write x.reshape(shape)",
    "view_as": "write x.reshape(y.shape)",
    "reshape_as": "write x.reshape(y.shape)",
    "cpu": _NOT_A_DEVICE, "cuda": _NOT_A_DEVICE, "pin_memory": _NOT_A_DEVICE,
    "to": "write x.astype(dtype) for another dtype; arrays are NumPy's, on the CPU",
    "type": "write x.astype(dtype)", "type_as": "write x.astype(y.dtype)",
    "float": "write x.astype(np.float32)", "double": "write x.astype(np.float64)",
    "half": "write x.astype(np.float16)",
    "long": _INTEGERS.format("np.int64"), "int": _INTEGERS.format("np.int32"), "bool": _INTEGERS.format("bool"),
    "grad_fn": "write x.node, the operation that was recorded; autograd_lite.draw.draw_graph(x) shows them all",
    "is_leaf": "write autograd_lite.extend.is_leaf(x)",
    "dim": "write x.ndim", "ndimension": "write x.ndim", "numel": "write x.size", "nelement": "write x.size",
    "requires_grad_": "write x.requires_grad = True", "detach_": "write x = x.detach()",
    "zero_": _ZERO, "fill_": _ASSIGNED, "copy_": "write x.data = y for a leaf",
    "unsqueeze": "write np.expand_dims(x, axis), or x[:, None]", "permute": "write x.transpose(axes)",
    "t": "write x.T", "expand": "write np.broadcast_to(x, shape)", "expand_as": "write np.broadcast_to(x, y.shape)",
    "contiguous": "leave it out", "is_contiguous": "write x.data.flags.c_contiguous",
    "chunk": "write np.array_split(x, n, axis)", "narrow": "write a slice, x[start : start + length]",
    "unbind": "write list(x), or np.moveaxis(x, axis, 0)", "select": "write np.take(x, i, axis)",
    "gather": "write np.take_along_axis(x, indices, axis)", "index_select": "write np.take(x, indices, axis)",
    "scatter": "write np.where(mask, new, x)", "scatter_": "write np.where(mask, new, x)",
    "index_fill": "write np.where(mask, value, x)", "index_add": "write x + onehot.T @ values",
    "masked_fill": "write np.where(mask, value, x)", "masked_fill_": "write x = np.where(mask, value, x)",
    "masked_select": "write x[mask]",
    "new_zeros": "write np.zeros(shape, x.dtype)", "new_ones": "write np.ones(shape, x.dtype)",
    "new_tensor": "write Tensor(data, dtype=x.dtype)", "new_full": "write np.full(shape, value, x.dtype)",
    "softmax": "write nn.softmax(x, axis)", "log_softmax": "write nn.log_softmax(x, axis)",
    "sigmoid": "write nn.sigmoid(x)", "relu": "write nn.relu(x)",
    "logsumexp": "write np.logaddexp.reduce(x, axis)",
    "mm": "write x @ y", "bmm": "write x @ y", "mv": "write x @ y", "norm": "write np.linalg.norm(x)",
    "inverse": "write np.linalg.inv(x)", "det": "write np.linalg.det(x)", "logdet": "write np.linalg.slogdet(x)",
    "div": "write x / y", "mul": "write x * y", "sub": "write x - y", "neg": "write -x", "rsqrt": "write x**-0.5",
    "eq": "write x == y", "ne": "write x != y", "lt": "write x < y", "gt": "write x > y", "le": "write x <= y",
    "ge": "write x >= y", "clamp": "write np.clip(x, min, max)", "clamp_min": "write np.maximum(x, min)",
    "clamp_max": "write np.minimum(x, max)", "erf": "write scipy.special.erf(x)", "lerp": "write x + t * (y - x)",
    "addmm": "write a + x @ y", "index_put": "write np.where(mask, new, x)",
    "topk": "write np.sort(x, axis)[..., -k:]",
    "size": "write x.shape; x.size is the number of elements",
    "retain_graph": "write x.backward(retain_graph=True)", "grad_hook": "write x.register_hook(hook)",
    "storage": "write x.data", "data_ptr": "write x.data.ctypes.data", "is_cuda": _NOT_A_DEVICE,
    # JAX
    "at": "write np.where(mask, new, x), or np.concatenate of its parts: neither changes x",
    "block_until_ready": "leave it out: results are there at once", "weak_type": "write x.dtype",
    # TensorFlow
    "assign": "write x.data = new for a leaf", "assign_sub": "write x.data -= step for a leaf",
    "assign_add": "write x.data += step for a leaf", "eval": "write x.data",
    # NumPy's methods that change the array
    "fill": _ASSIGNED, "put": "write np.where(mask, new, x)", "sort": "write np.sort(x), which gives a new one",
    "partition": "write np.partition(x, kth), which gives a new one", "resize": "write x.reshape(shape)",
    "setflags": "write x.data.flags", "flags": "write x.data.flags", "strides": "write x.data.strides",
    "flat": "write x.ravel()", "base": "write x.data.base", "ctypes": "write x.data.ctypes",
    "tobytes": "write x.data.tobytes()", "tofile": "write x.data.tofile(file)",
    # NumPy's functions under other names
    "values": "write x.data", "to_numpy": "write x.data", "array": "write x.data", "value": "write x.data",
})  # fmt: skip

KEYWORDS: Answers = {
    "dim": "write axis=", "dims": "write axis=", "keepdim": "write keepdims=",
    "unbiased": "write ddof=1 for the unbiased estimate, ddof=0 for the other", "correction": "write ddof=",
    "start_dim": "write x.reshape(len(x), -1) to keep the first axis", "end_dim": "write x.reshape(shape)",
    "device": _NOT_A_DEVICE, "pin_memory": _NOT_A_DEVICE, "trainable": "write requires_grad=",
    "grad": "write requires_grad=True", "gradient": "write grad=", "inputs": "call zero_grad() on the others",
}  # fmt: skip
"""For arguments of a tensor's methods and of its constructor."""

_NUMPY = "NumPy's functions take tensors: import numpy as np, and write np.{}"
_SEED = "write rng = np.random.default_rng(seed), and pass rng= where numbers are drawn"
_TREE = "grad and its like take dicts, lists and dataclasses of arrays as they are; for other functions, {} by yourself"


class _Engine(dict[str, str]):
    """The answers of the package: functions of NumPy are NumPy's."""

    def get(self, name: str, default: Any = None) -> Any:
        if name in self or name.startswith("_"):
            return super().get(name, default)
        if name.endswith("_like") or callable(getattr(np, name, None)):
            return _NUMPY.format(name)
        return default


ENGINE: Answers = _Engine({
    # PyTorch
    "tensor": "write Tensor(data, requires_grad=True)", "as_tensor": "write Tensor(data)",
    "from_numpy": "write Tensor(array)", "Variable": "write Tensor(data, requires_grad=True)",
    "Parameter": "write Tensor(data, requires_grad=True)", "constant": "write Tensor(data), or the array as it is",
    "FloatTensor": "write Tensor(data, dtype=np.float32)", "is_tensor": "write isinstance(x, Tensor)",
    "randn": "write Tensor(rng.normal(size=shape)) with rng = np.random.default_rng(seed)",
    "rand": "write Tensor(rng.random(shape)) with rng = np.random.default_rng(seed)",
    "manual_seed": _SEED, "seed": _SEED, "random": _SEED,
    "cat": _NUMPY.format("concatenate"), "mm": "write x @ y", "bmm": "write x @ y", "clamp": _NUMPY.format("clip"),
    "relu": "write nn.relu (import nn)", "sigmoid": "write nn.sigmoid (import nn)",
    "softmax": "write nn.softmax (import nn)", "reduce_sum": _NUMPY.format("sum"),
    "reduce_mean": _NUMPY.format("mean"), "long": "write np.int64", "float": "write np.float32",
    "enable_grad": "leave no_grad()'s block: what is outside of it is recorded",
    "set_grad_enabled": "write with no_grad(): around what is not to be recorded",
    "is_grad_enabled": "write (w * 1).requires_grad of a tensor w that requires one",
    "inference_mode": "write no_grad()",
    "autograd": "write y.backward(), or autograd_lite.grad(f)", "backward": "write y.backward()",
    "nn": "import nn, the package beside this one", "optim": "write nn.SGD, nn.Adam and so on (import nn)",
    "optimizers": "write nn.SGD, nn.Adam and so on (import nn)",
    "save": "write nn.save_weights(model, path)", "load": "write nn.load_model(path)",
    "utils": "see nn.clip_gradient_norm and nn.data", "device": _NOT_A_DEVICE, "cuda": _NOT_A_DEVICE,
    "func": "write autograd_lite.grad, vmap and their like", "functional": "write nn.relu and its like (import nn)",
    "set_default_dtype": "write dtype= where a tensor or a layer is made", "set_num_threads": "set OMP_NUM_THREADS",
    # JAX
    "jit": "write autograd_lite.compile(f)", "jacfwd": "write jacobian(f, mode=\"forward\")",
    "jacrev": "write jacobian(f, mode=\"reverse\")", "linearize": "write jvp(f, (x,), (t,)) for each tangent",
    "remat": "write checkpoint(f)",
    "custom_jvp": "write custom_vjp(f), or primitive and defjvp of autograd_lite.extend",
    "device_put": _NOT_A_DEVICE, "device_get": "leave it out", "pmap": "write vmap(f), in one process",
    "numpy": "NumPy's own functions take tensors: import numpy as np", "jnp": "import numpy as np",
    "scipy": "the ufuncs of scipy.special take tensors as they are; autograd_lite.special has softmax and logsumexp",
    "lax": "write a Python loop; autograd_lite.compile runs it without Python", "scan": "write a Python loop",
    "tree_map": _TREE.format("map over them"), "tree_util": _TREE.format("map over them"),
    "tree": _TREE.format("map over them"), "tree_flatten": _TREE.format("flatten them"),
    "ravel_pytree": _TREE.format("flatten them"), "block_until_ready": "leave it out",
    "make_jaxpr": "write autograd_lite.draw.draw_graph(y), or print(compile(f).plans)",
    "eval_shape": "call the function itself",
    "debug": "write print(x.data)", "PRNGKey": _SEED, "key": _SEED, "hvp_fwdrev": "write hvp(f)(x, t)",
    "value_and_jacobian": "write vjp, or jacobian and the function itself",
    # HIPS autograd
    "elementwise_grad": "write grad(lambda x: f(x).sum())", "egrad": "write grad(lambda x: f(x).sum())",
    "make_vjp": "write y, pull_back = vjp(f, x)", "make_jvp": "write y, dy = jvp(f, (x,), (t,))",
    "hessian_vector_product": "write hvp(f)(x, t)", "hessian_tensor_product": "write hvp(f)(x, t)",
    "make_hvp": "write lambda t: hvp(f)(x, t)", "make_ggnvp": "write vjp and jvp one after the other",
    "vector_jacobian_product": "write vjp(f, x)", "multigrad": "write grad(f, argnums=(0, 1))",
    "multigrad_dict": "write grad(f, argnums=(0, 1))", "grad_named": "write grad(f, argnums=\"name\")",
    "grad_and_aux": "write grad(f, has_aux=True)", "holomorphic_grad": "write grad(f, holomorphic=True)",
    "deriv": "write grad(f), or jvp(f, (x,), (1.0,))", "primitive": "write autograd_lite.extend.primitive(f)",
    "check_grads": "write check_gradients(f, x)", "test_util": "write check_gradients(f, x)",
    "gradcheck": "write check_gradients(f, x)", "quick_grad_check": "write check_gradients(f, x)",
    "misc": "grad takes trees of arrays as they are; optimizers are nn.SGD, nn.Adam and so on (import nn)",
    "differential_operators": "write autograd_lite.grad, jacobian, hessian, hvp, vjp and jvp",
    "builtins": "Python's own list, dict and tuple are taken as they are",
    "tracer": "see autograd_lite.extend", "flatten": _TREE.format("flatten them"),
    # TensorFlow
    "GradientTape": "nothing is to be opened: make Tensors with requires_grad=True, and call y.backward()",
    "function": "write autograd_lite.compile(f)", "Module": "write nn.Module (import nn)",
})  # fmt: skip

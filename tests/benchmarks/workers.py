"""What `speed.py` measures, each in a process of its own: the candidates, and the time or memory that they take."""

import statistics
import time

import numpy as np

CONFIGURATIONS = [
    "784-128-10:128:adam",
    "784-128-10:128:sgd",
    "784-30-10:10:sgd",
    "784-50-50-50-50-50-50-10:10:sgd",
    "784-512-512-10:256:adam",
    "784-2048-2048-10:512:adam",
]
MORE = ["784-10:100:sgd", "20-64-64-2:32:adam", "100-200-200-200-200-5:64:adam", "13-50-1000-50-3:16:sgd"]
LARGEST = CONFIGURATIONS[-2:]

# ---- candidates ----


def problem(configuration):
    sizes, batch, optimizer = configuration.split(":")
    sizes, batch = [int(size) for size in sizes.split("-")], int(batch)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((batch, sizes[0])).astype("f4")
    y = rng.integers(0, sizes[-1], batch)
    weights = [(rng.standard_normal((a, b)) * np.sqrt(2 / a)).astype("f4") for a, b in zip(sizes, sizes[1:])]  # noqa: B905, RUF007
    return sizes, X, y, weights, optimizer


def ours(sizes, weights, optimizer, lr, activation="relu", how="compiled"):
    import autograd_lite
    import nn

    model = nn.MLP(sizes, activation=activation, rng=0)
    for layer, weight in zip((layer for layer in model if isinstance(layer, nn.Dense)), weights, strict=True):
        layer.weight.data[...] = weight
    optimizer = {"sgd": nn.SGD, "adam": nn.Adam}[optimizer](model.parameters(), lr=lr)

    def train(X, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        return loss

    if how != "eager":
        train = autograd_lite.compile(train, jit=how == "compiled")
    return lambda X, y: train(X, y).item()


OURS = {
    "compiled": lambda *args, **kwargs: ours(*args, **kwargs),
    "compiled without Numba": lambda *args, **kwargs: ours(*args, **kwargs, how="numpy"),
    "eager": lambda *args, **kwargs: ours(*args, **kwargs, how="eager"),
}


def candidate(name):
    from peers import PEERS

    return OURS[name] if name in OURS else PEERS[name]


# ---- what a worker measures, in a process of its own ----


def time_step(name, configuration, seconds):
    sizes, X, y, weights, optimizer = problem(configuration)
    step = candidate(name)(sizes, weights, optimizer, 1e-3)
    losses = [step(X, y) for _ in range(10)]
    reference = candidate("NumPy by hand")(sizes, weights, optimizer, 1e-3)
    if not np.allclose(losses, [reference(X, y) for _ in range(10)], rtol=2e-3, atol=1e-4):
        raise SystemExit(f"{name} computes other losses: {losses}")
    times, end = [], time.perf_counter() + float(seconds)
    while len(times) < 15 or time.perf_counter() < end:
        start = time.perf_counter()
        step(X, y)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


LAYOUTS = {
    "as they lie": lambda a, b, out: np.matmul(a, b, out=out),
    "turned": lambda a, b, out: np.matmul(b.T, a.T, out=out.T),
    "copied first": lambda a, b, out: np.matmul(np.ascontiguousarray(a), np.ascontiguousarray(b), out=out),
}


def time_products(configuration, layout="as they lie"):
    """The matrix products of a step alone, by `numpy.matmul` with out=."""
    product = LAYOUTS[layout]
    sizes, X, _, weights, _ = problem(configuration)
    activations = [np.ones((len(X), n), np.float32) for n in sizes]
    outputs = [np.empty_like(a) for a in activations]
    gradients = [np.empty_like(w) for w in weights]

    def products():
        for i, w in enumerate(weights):
            product(activations[i], w, outputs[i + 1])
            product(activations[i].T, activations[i + 1], gradients[i])
            if i:
                product(activations[i + 1], w.T, outputs[i])

    products()
    times, end = [], time.perf_counter() + 0.3
    while len(times) < 15 or time.perf_counter() < end:
        start = time.perf_counter()
        products()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def time_epoch(name):
    """An epoch of the deep narrow net over MNIST, batches of 10, with the gathering of the batches."""
    import nn

    data = nn.data.load_mnist()
    X, y = data.train_images, data.train_labels.astype(np.int64)
    sizes = [784, *[50] * 6, 10]
    rng = np.random.default_rng(0)
    weights = [(rng.standard_normal((a, b)) / np.sqrt(a)).astype("f4") for a, b in zip(sizes, sizes[1:])]  # noqa: B905, RUF007
    step = candidate(name)(sizes, weights, "sgd", 0.1, activation="sigmoid")
    step(X[:10], y[:10])
    if name in OURS:
        batches = nn.data.Minibatches(X, y, batch_size=10, rng=0)
        start = time.perf_counter()
        for images, labels in batches:
            step(images, labels)
    else:
        start = time.perf_counter()
        order = rng.permutation(len(X))
        for i in range(0, len(X), 10):
            rows = order[i : i + 10]
            step(X[rows], y[rows])
    return time.perf_counter() - start


def peak_memory(name, configuration):
    """The peak of a step above what was there before, in MiB: libraries, model and the state of the optimizer."""
    import resource

    sizes, X, y, weights, optimizer = problem(configuration)
    step = candidate(name)(sizes, weights, optimizer, 1e-3)
    small = problem(configuration.replace(configuration.split(":")[1], "2"))
    step(small[1], small[2])  # libraries, threads and the optimizer's state are there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        step(X, y)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def time_fit(name):
    """784-128-10 on MNIST, 10 epochs of batches of 128 with Adam; gives seconds and the accuracy on the test images."""
    import nn

    data = nn.data.load_mnist()
    X, y = data.train_images, data.train_labels.astype(np.int64)
    X_test, y_test = data.test_images, data.test_labels
    if name == "scikit-learn":
        import warnings

        from sklearn.neural_network import MLPClassifier

        warnings.simplefilter("ignore")
        model = MLPClassifier((128,), batch_size=128, max_iter=10, random_state=0, alpha=0)
        start = time.perf_counter()
        model.fit(X, y)
        return [time.perf_counter() - start, float(model.score(X_test, y_test))]
    if name == "PyTorch":
        import torch

        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
        optimizer = torch.optim.Adam(model.parameters())
        dataset = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
        start = time.perf_counter()
        for _ in range(10):
            for images, labels in torch.utils.data.DataLoader(dataset, batch_size=128, shuffle=True):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                optimizer.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            return [seconds, float((model(torch.from_numpy(X_test)).argmax(1).numpy() == y_test).mean())]
    model = nn.MLP([784, 128, 10], rng=0)
    start = time.perf_counter()
    nn.fit(
        model, nn.softmax_cross_entropy, nn.Adam(model.parameters()), (X, y), epochs=10, batch_size=128, rng=0,
        progress=False, compile=False if name == "fit, uncompiled" else "auto",
    )  # fmt: skip
    seconds = time.perf_counter() - start
    return [seconds, float((nn.predict(model, X_test).argmax(1) == y_test).mean())]


def time_first_call(name):
    import autograd_lite  # noqa: F401 - what is measured is the call alone

    sizes, X, y, weights, optimizer = problem(CONFIGURATIONS[0])
    step = candidate(name)(sizes, weights, optimizer, 1e-3)
    start = time.perf_counter()
    step(X, y)
    return time.perf_counter() - start


def time_overhead():
    """What `fit` costs for each step beyond the same loop written by hand."""
    import autograd_lite
    import nn

    rng = np.random.default_rng(0)
    X = rng.standard_normal((20000, 8)).astype("f4")
    y = (X.sum(1) > 0).astype(int)

    def parts():
        model = nn.MLP([8, 16, 2], rng=0)
        return model, nn.SGD(model.parameters(), lr=0.1)

    model, optimizer = parts()

    @autograd_lite.compile
    def step(images, labels):
        optimizer.zero_grad()
        nn.softmax_cross_entropy(model(images), labels).backward()
        optimizer.step()

    step(X[:10], y[:10])

    def by_hand():
        start = time.perf_counter()
        for batch in nn.data.Minibatches(X, y, batch_size=10, rng=0):
            step(*batch)
        return time.perf_counter() - start

    def by_fit():
        model, optimizer = parts()
        history = nn.fit(
            model, nn.softmax_cross_entropy, optimizer, (X, y), epochs=2, batch_size=10, rng=0, progress=False,
            compile=True,
        )  # fmt: skip
        return history.epochs["seconds"][1]

    return min(by_fit() for _ in range(5)) / 2000 - min(by_hand() for _ in range(5)) / 2000


WORKERS = {
    f.__name__: f for f in (time_step, time_products, time_epoch, peak_memory, time_fit, time_first_call, time_overhead)
}

"""The peers' training step of one MLP: what a good user of each library would write.

``make(sizes, X, y, weights, optimizer, lr)`` gives ``step(X, y) -> loss``. Hidden layers are ReLU or sigmoid, biases
start at zero, the loss is the mean softmax cross-entropy, the optimizer "sgd" or "adam".
"""

import numpy as np


def numpy_by_hand(sizes, weights, optimizer, lr, activation="relu"):
    """Plain vectorised NumPy, backpropagation written out."""
    W, b = [w.copy() for w in weights], [np.zeros(w.shape[1], np.float32) for w in weights]
    params = W + b
    m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    steps = 0
    eye = np.eye(sizes[-1], dtype=np.float32)

    def step(X, y):
        nonlocal steps
        outputs = [X]
        for i in range(len(W)):
            z = outputs[-1] @ W[i] + b[i]
            if i < len(W) - 1:
                z = np.maximum(z, 0) if activation == "relu" else 1 / (1 + np.exp(-z))
            outputs.append(z)
        z = outputs[-1] - outputs[-1].max(1, keepdims=True)
        e = np.exp(z)
        total = e.sum(1, keepdims=True)
        loss = float((np.log(total[:, 0]) - z[np.arange(len(y)), y]).mean())
        delta = (e / total - eye[y]) / np.float32(len(y))
        gradients_w, gradients_b = [None] * len(W), [None] * len(W)
        for i in reversed(range(len(W))):
            gradients_w[i], gradients_b[i] = outputs[i].T @ delta, delta.sum(0)
            if i:
                a = outputs[i]
                delta = (delta @ W[i].T) * ((a > 0) if activation == "relu" else a * (1 - a))
        steps += 1
        for p, g, mi, vi in zip(params, gradients_w + gradients_b, m, v, strict=True):
            if optimizer == "sgd":
                p -= lr * g
                continue
            mi *= 0.9
            mi += 0.1 * g
            vi *= 0.999
            vi += 0.001 * g * g
            p -= lr * (mi / (1 - 0.9**steps)) / (np.sqrt(vi / (1 - 0.999**steps)) + 1e-8)
        return loss

    return step


def _torch(fused):
    def make(sizes, weights, optimizer, lr, activation="relu"):
        import torch

        layers = []
        for i, w in enumerate(weights):
            layer = torch.nn.Linear(*w.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(w.T.copy()))
                layer.bias.zero_()
            layers.append(layer)
            if i < len(weights) - 1:
                layers.append(torch.nn.ReLU() if activation == "relu" else torch.nn.Sigmoid())
        model = torch.nn.Sequential(*layers)
        make_optimizer = torch.optim.SGD if optimizer == "sgd" else torch.optim.Adam
        optimizer = make_optimizer(model.parameters(), lr=lr, **({"fused": True} if fused else {}))

        def step(X, y):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(X)), torch.from_numpy(y))
            loss.backward()
            optimizer.step()
            return float(loss.detach())

        return step

    return make


def jax_jit(sizes, weights, optimizer, lr, activation="relu"):
    import jax
    import jax.numpy as jnp
    import optax

    params = [(jnp.asarray(w), jnp.zeros(w.shape[1], "f4")) for w in weights]
    method = optax.sgd(lr) if optimizer == "sgd" else optax.adam(lr)
    state = method.init(params)

    def loss_of(params, X, y):
        a = X
        for i, (w, b) in enumerate(params):
            z = a @ w + b
            a = z if i == len(params) - 1 else jax.nn.relu(z) if activation == "relu" else jax.nn.sigmoid(z)
        return optax.softmax_cross_entropy_with_integer_labels(a, y).mean()

    @jax.jit
    def update(params, state, X, y):
        loss, gradients = jax.value_and_grad(loss_of)(params, X, y)
        updates, state = method.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, loss

    def step(X, y):
        nonlocal params, state
        params, state, loss = update(params, state, X, y)
        return float(loss)

    return step


def mygrad(sizes, weights, optimizer, lr, activation="relu"):
    import mygrad as mg
    from mygrad.nnet import relu, sigmoid, softmax_crossentropy

    act = relu if activation == "relu" else sigmoid
    pairs = [(mg.tensor(w.copy()), mg.tensor(np.zeros(w.shape[1], "f4"))) for w in weights]
    params = [p for pair in pairs for p in pair]
    m, v = [np.zeros_like(p.data) for p in params], [np.zeros_like(p.data) for p in params]
    steps = 0

    def step(X, y):
        nonlocal steps
        a = X
        for i, (w, b) in enumerate(pairs):
            z = mg.matmul(a, w) + b
            a = act(z) if i < len(pairs) - 1 else z
        loss = softmax_crossentropy(a, y)
        loss.backward()
        steps += 1
        for p, mi, vi in zip(params, m, v, strict=True):
            g = p.grad
            if optimizer == "sgd":
                p.data -= np.float32(lr) * g
                continue
            mi *= 0.9
            mi += 0.1 * g
            vi *= 0.999
            vi += 0.001 * g * g
            p.data -= lr * (mi / (1 - 0.9**steps)) / (np.sqrt(vi / (1 - 0.999**steps)) + 1e-8)
        return loss.item()

    return step


PEERS = {
    "NumPy by hand": numpy_by_hand,
    "PyTorch": _torch(fused=False),
    "PyTorch fused": _torch(fused=True),
    "JAX jit": jax_jit,
    "MyGrad": mygrad,
}

# The peer PyTorch, eager: answers commands on stdin with one line of JSON each on stdout, so that its turns
# alternate with everybody else's.
import json
import os
import re
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def blas():
    """The BLAS behind products: file of the shared library where there is one, else what PyTorch was built with."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    try:
        with open("/proc/self/maps") as maps:
            files = {os.path.realpath(line.split()[-1]) for line in maps if "/" in line}
    except OSError:
        files = set()
    # Other libraries in the process, LAPACK among them, may bring a BLAS of their own that products do not use.
    linked = sorted(f for f in files if os.path.basename(f).startswith(("libblas.so", "libmkl_rt")))
    built = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return linked[0] if linked else built.group(1) if built else "unknown BLAS"


def floats(task, stdin, shape):
    count = 1
    for size in shape:
        count *= size
    return torch.frombuffer(bytearray(stdin.read(4 * count)), dtype=torch.float32).reshape(shape)


class Step:
    """z = x + epsilon * sign of the gradient at x, then SGD on the mean loss at z."""

    def __init__(self, task, stdin):
        sizes, rows = task["sizes"], task["batch"] * task["batches"]
        layers = []
        for inputs, units in zip(sizes, sizes[1:]):
            layer = nn.Linear(inputs, units)
            with torch.no_grad():
                layer.weight.copy_(floats(task, stdin, (inputs, units)).t())
                layer.bias.copy_(floats(task, stdin, (units,)))
            layers += [layer, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        inputs = floats(task, stdin, (rows, sizes[0]))
        labels = torch.frombuffer(bytearray(stdin.read(4 * rows)), dtype=torch.int32).long()
        self.data = list(zip(inputs.split(task["batch"]), labels.split(task["batch"])))
        self.epsilon = task["epsilon"]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=task["learningRate"])
        self.next = 0

    def once(self):
        x, labels = self.data[self.next % len(self.data)]
        self.next += 1
        x = x.detach().requires_grad_(True)
        (g,) = torch.autograd.grad(F.cross_entropy(self.model(x), labels, reduction="sum"), x)
        z = x.detach() + self.epsilon * g.sign()
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(z), labels)
        loss.backward()
        self.optimizer.step()
        return loss


def clocked(run, count):
    begun = time.perf_counter()
    for _ in range(count):
        run()
    return 1000 * (time.perf_counter() - begun)


def main():
    stdin = sys.stdin.buffer
    step, factors = None, None
    for line in iter(stdin.readline, b""):
        task = json.loads(line)
        command = task["command"]
        if command == "describe":
            torch.set_num_threads(task["threads"])
            answer = {"version": torch.__version__, "threads": torch.get_num_threads(), "blas": blas()}
        elif command == "load":
            step, answer = Step(task, stdin), None
        elif command == "losses":
            answer = [step.once().item() for _ in range(task["count"])]
        elif command == "steps":
            answer = clocked(step.once, task["count"])
        elif command == "product":
            factors, answer = [floats(task, stdin, (task["size"],) * 2) for _ in range(2)], None
        elif command == "products":
            answer = clocked(lambda: factors[0] @ factors[1], task["count"])
        else:
            step, factors, answer = None, None, None
        print(json.dumps(answer), flush=True)


main()

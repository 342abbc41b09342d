"""Runs one published attack on an ONNX classifier: the other side of bench/attacks/main.mjs.

python reference.py --model M.onnx --data D.npz --attack NAME --norm linf --epsilon 0.1 --options JSON --out OUT.npz

D.npz holds x (float32, [n, ...], in [0, 1]) and y (int32, [n]); OUT.npz gets `adversarial`, of the shape of x. Every
file in peers/ exports ATTACKS = {NAME: fn(model, x, y, norm, epsilon, options) -> adversarial x}, and VERSION, the
text that names its package. Prints one line of JSON: the seconds that the attack took, and the versions.
"""

import argparse
import importlib.util
import json
import pathlib
import time

import numpy
import onnx
import onnx.reference
import torch
from onnx2torch import convert

BATCH = 250


def peers():
    """The attacks of every file in peers/ by name, with the version of their package."""
    found, failures = {}, {}
    for path in sorted((pathlib.Path(__file__).parent / "peers").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except ImportError as error:
            failures[path.stem] = str(error)
            continue
        for name, attack in module.ATTACKS.items():
            found[name] = (attack, module.VERSION)
    return found, failures


def folded(path):
    """The ONNX model with nodes of constants computed: the converter wants biases as constants."""
    model = onnx.load(path)
    graph = model.graph
    known = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in list(graph.node):
        if not all(name in known for name in node.input):
            continue
        values = onnx.reference.ReferenceEvaluator(node).run(None, {name: known[name] for name in node.input})
        known.update(zip(node.output, values))
        graph.initializer.extend(onnx.numpy_helper.from_array(*pair) for pair in zip(values, node.output))
        graph.node.remove(node)
    return model


def main():
    parser = argparse.ArgumentParser()
    for name in ("model", "data", "attack", "norm", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--epsilon", type=float, default=float("inf"))
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found, failures = peers()
    if given.attack not in found:
        raise SystemExit(f"no attack '{given.attack}' (known: {', '.join(sorted(found))}; failed: {failures})")
    attack, version = found[given.attack]
    model = convert(folded(given.model)).eval().requires_grad_(False)
    data = numpy.load(given.data)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"].astype(numpy.int64))
    torch.manual_seed(given.seed)
    numpy.random.seed(given.seed)
    parts, begun, spent = [], time.perf_counter(), time.process_time()
    for start in range(0, len(x), given.batch):
        rows = slice(start, start + given.batch)
        parts.append(attack(model, x[rows], y[rows], given.norm, given.epsilon, given.options).detach())
    seconds = {"seconds": time.perf_counter() - begun, "processorSeconds": time.process_time() - spent}
    numpy.savez(given.out, adversarial=torch.cat(parts).numpy().astype(numpy.float32))
    said = {**seconds, "package": version, "torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(said))


if __name__ == "__main__":
    main()

# The peer PyTorch: answers commands on stdin with one line of JSON each on stdout, so that its turns alternate with
# everybody else's.
import json
import os
import re
import resource
import sys
import time

import torch

from pytorch_steps import clocked, kinds


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
    return "/".join(linked[0].split("/")[-2:]) if linked else built.group(1) if built else "unknown BLAS"


def read_task(folder):
    """The task and its arrays: weights in order, inputs, labels."""
    with open(os.path.join(folder, "task.json")) as file:
        task = json.load(file)
    path, offset, arrays = os.path.join(folder, "task.bin"), 0, []
    with open(path, "rb") as file:
        for array in task["arrays"]:
            count = 1
            for size in array["shape"]:
                count *= size
            dtype = torch.int32 if array["name"] == "labels" else torch.float32
            values = torch.frombuffer(bytearray(file.read(4 * count)), dtype=dtype)
            arrays.append(values.reshape(array["shape"]))
    return task, arrays


def peak_memory():
    try:
        with open("/proc/self/status") as file:
            return 1024 * int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Peer:
    step = None

    def describe(self, command):
        torch.set_num_threads(command["threads"])
        built = {"version": torch.__version__.split("+")[0], "threads": torch.get_num_threads()}
        return {**built, "how": "MKL" if blas() == "mkl" else blas(), "blas": blas()}

    def load(self, command):
        torch.set_num_threads(command["threads"])
        self.step = None
        task, arrays = read_task(command["folder"])
        self.network, self.kind = task["network"], task["kind"]
        self.build = lambda layers: kinds[self.kind](
            {**task, "network": {**task["network"], "layers": layers}}, [a.clone() for a in arrays], command["form"]
        )
        self.step = self.build(self.network["layers"])
        return {"multiple": 1}

    def check(self, command):
        """The first losses and when the first was there; without dropout where a step has it."""
        layers = [layer for layer in self.network["layers"] if layer["kind"] != "dropout"]
        drops = self.kind == "train" and len(layers) < len(self.network["layers"])
        step = self.build(layers) if drops else self.step
        losses = [step.next_loss()]
        first = 1000 * time.time()
        count = command["count"] if self.kind == "train" else 1
        return {"losses": losses + [step.next_loss() for _ in range(1, count)], "first": first}

    def steps(self, command):
        return {"milliseconds": clocked(self.step.once, command["count"])}

    def memory(self, _):
        return peak_memory()


def main():
    peer = Peer()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            reply = {"answer": getattr(peer, command["command"])(command)}
        except Exception as error:
            words = str(error).strip().split("\n")[0][:200]
            reply = {"error": words or type(error).__name__}
        print(json.dumps(reply), flush=True)


main()

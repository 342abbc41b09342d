# The peer PyTorch: one step of each kind, written as its good users write it. `once()` takes one.
from time import perf_counter

import torch
from torch.nn import functional as F

from pytorch_network import network
from pytorch_wame import Wame


def optimizer_of(task, parameters, compiled):
    rule, rate = task["optimizer"]["name"], task["optimizer"]["rate"]
    if rule == "wame":
        return Wame(parameters, rate, compiled)
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[rule](parameters, lr=rate, fused=True)


class Step:
    """What all kinds share: the network in the form asked for, and the batches."""

    def __init__(self, task, arrays, form):
        *weights, inputs, labels = arrays
        self.task = task
        self.compiled = form == "compile"
        self.module = network(task["network"]["layers"], weights)
        self.layout = torch.channels_last if form == "channels_last" else torch.contiguous_format
        self.module.to(memory_format=self.layout)
        self.labels = labels.long()
        self.inputs = inputs.contiguous(memory_format=self.layout)
        self.next = 0

    def finish(self):
        self.model = torch.compile(self.module) if self.compiled else self.module

    def split(self, rows):
        batches = zip(self.inputs.split(rows), self.labels.split(rows))
        return [(x.contiguous(memory_format=self.layout), y) for x, y in batches]


class Train(Step):
    def __init__(self, task, arrays, form):
        super().__init__(task, arrays, form)
        self.module.train()
        self.finish()
        self.optimizer = optimizer_of(task, self.module.parameters(), self.compiled)
        self.weights = list(self.module.parameters())
        self.data = self.split(task["batch"])
        self.moves = task.get("inputs")
        if self.moves:
            self.data = [(x.clone(memory_format=torch.preserve_format).requires_grad_(), y) for x, y in self.data]

    def crafted(self, x, y, craft):
        x.requires_grad_()
        # Compiled, a backward pass computes everything that may have a gradient, asked for or not.
        self.module.requires_grad_(not self.compiled)
        (g,) = torch.autograd.grad(F.cross_entropy(self.model(x), y, reduction="sum"), x)
        self.module.requires_grad_()
        x.requires_grad_(False)
        z = torch.add(x, g.sign_(), alpha=craft["epsilon"])
        if not craft["doubled"]:
            return z, y
        return torch.cat([x, z.clamp_(0, 1)]), torch.cat([y, y])

    def penalty(self, x, logits, penalty):
        if penalty["form"] == "summed":
            total = torch.autograd.grad(logits.sum(), x, create_graph=True)[0].abs().sum()
        else:
            # One output after the other: in a batch (is_grads_batched) the ten together take longer.
            outputs = logits.softmax(1).sum(0)
            total = sum(torch.autograd.grad(f, x, create_graph=True)[0].abs().sum() for f in outputs)
        return total * (penalty["lambda"] / (x.numel() * logits.shape[1]))

    def once(self):
        x, y = self.data[self.next % len(self.data)]
        self.next += 1
        craft, penalty = self.task.get("craft"), self.task.get("penalty")
        if craft:
            x, y = self.crafted(x, y, craft)
        if penalty:
            x.requires_grad_()
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(x)
        loss = F.cross_entropy(logits, y)
        if penalty:
            loss = loss + self.penalty(x, logits, penalty)
        # A penalty's inputs have a gradient that nobody needs.
        loss.backward(inputs=self.weights if penalty and not self.moves else None)
        self.optimizer.step()
        if self.moves:
            with torch.no_grad():
                x.add_(x.grad, alpha=self.moves["lambda"])
            x.grad = None
        elif penalty:
            x.requires_grad_(False)
        return loss

    def next_loss(self):
        return self.once().item()


class Attack(Step):
    """PGD with restarts on all images; in batches of 128 or all at once, whichever is faster."""

    def __init__(self, task, arrays, form):
        super().__init__(task, arrays, form)
        self.module.eval().requires_grad_(False)
        self.finish()
        self.options = task["attack"]
        self.batches = None

    def walk(self, x, y, steps, random=True):
        epsilon, size = self.options["epsilon"], self.options["stepSize"]
        low, high = (x - epsilon).clamp_(0, 1), (x + epsilon).clamp_(0, 1)
        z = x.clone(memory_format=torch.preserve_format)
        if random:
            z += torch.empty_like(x).uniform_(-epsilon, epsilon)
            torch.clamp(z, low, high, out=z)
        for _ in range(steps):
            z.requires_grad_()
            (g,) = torch.autograd.grad(F.cross_entropy(self.model(z), y, reduction="sum"), z)
            z = z.detach().add_(g.sign_(), alpha=size)
            torch.clamp(z, low, high, out=z)
        return z

    def judged(self, z, y):
        with torch.inference_mode():
            return F.cross_entropy(self.model(z), y, reduction="none")

    def whole(self, steps, restarts, batches):
        for x, y in batches:
            best, worst = x, self.judged(x, y)
            for _ in range(restarts):
                z = self.walk(x, y, steps)
                losses = self.judged(z, y)
                stronger = losses > worst
                best = torch.where(stronger.view(-1, 1, 1, 1), z, best)
                worst = torch.maximum(losses, worst)

    def choose(self):
        timed = []
        for rows in (128, len(self.labels)):
            batches = self.split(rows)
            self.whole(1, 1, batches)
            timed.append((clocked(lambda: self.whole(3, 1, batches), 1), batches))
        self.batches = min(timed, key=lambda pair: pair[0])[1]

    def once(self):
        if self.batches is None:
            self.choose()
        self.whole(self.options["steps"], self.options["restarts"], self.batches)

    def next_loss(self):
        x, y = self.split(128)[0]
        return self.judged(self.walk(x, y, self.options["steps"], random=False), y).mean().item()


class Forward(Step):
    def __init__(self, task, arrays, form):
        super().__init__(task, arrays, form)
        self.module.eval().requires_grad_(False)
        if self.compiled:
            torch._inductor.config.freezing = True
        self.finish()
        self.data = self.split(task["batch"])

    def once(self):
        x, _ = self.data[self.next % len(self.data)]
        self.next += 1
        with torch.inference_mode():
            return self.model(x)

    def next_loss(self):
        return F.cross_entropy(self.once(), self.data[0][1]).item()


def clocked(run, count):
    begun = perf_counter()
    for _ in range(count):
        run()
    return 1000 * (perf_counter() - begun)


kinds = {"train": Train, "attack": Attack, "forward": Forward}

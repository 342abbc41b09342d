# WAME (Mosca and Magoulas 2017) in PyTorch: in place, without a tensor that is not needed. One parameter after the
# other, because what torch._foreach_* do on the CPU is the same loop, but cannot write into memory that is there.
import torch
from torch.nn import functional as F


def eager(parameters, grads, last, zeta, average, square, lr):
    for p, g, l, z, a, s in zip(parameters, grads, last, zeta, average, square):
        # 1 where the gradient keeps its sign, -4.5 where it changes it, else 0: zeta grows to 1.2 or shrinks to 0.1.
        F.leaky_relu_(l.mul_(g).sign_(), 4.5)
        z.addcmul_(z, l, value=0.2).clamp_(0.01, 100.0)
        a.lerp_(z, 0.1)
        s.mul_(0.9).addcmul_(g, g, value=0.1)
        root = torch.sqrt(s, out=l).add_(1e-11)
        p.addcmul_(torch.div(g, root, out=l), a, value=-lr)


def fused(parameters, grads, last, zeta, average, square, lr):
    """For the compiler, which makes one pass of it."""
    for p, g, l, z, a, s in zip(parameters, grads, last, zeta, average, square):
        agreement = g * l
        grown = torch.where(agreement > 0, z * 1.2, torch.where(agreement < 0, z * 0.1, z))
        z.copy_(grown.clamp(0.01, 100.0))
        a.copy_(0.9 * a + 0.1 * z)
        s.copy_(0.9 * s + 0.1 * g * g)
        p.sub_(lr * a * g / (s.sqrt() + 1e-11))


class Wame:
    def __init__(self, parameters, lr, compiled):
        self.parameters, self.lr = list(parameters), lr
        self.last, self.average, self.square = ([torch.zeros_like(p) for p in self.parameters] for _ in range(3))
        self.zeta = [torch.ones_like(p) for p in self.parameters]
        self.update = torch.compile(fused) if compiled else eager

    def zero_grad(self, set_to_none=True):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        grads = [p.grad for p in self.parameters]
        self.update(self.parameters, grads, self.last, self.zeta, self.average, self.square, self.lr)
        # Every step's gradients are fresh tensors, so they are kept as they are.
        self.last = grads

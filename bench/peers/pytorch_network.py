# The peer PyTorch: a network from its description, with the weights that all share.
import torch
from torch import nn


class Residual(nn.Module):
    """h = before(x); branch(h) + shortcut(h), or + x where there is no shortcut."""

    def __init__(self, before, branch, shortcut):
        super().__init__()
        self.before, self.branch, self.shortcut = before, branch, shortcut

    def forward(self, x):
        h = self.before(x)
        return self.branch(h) + (x if self.shortcut is None else self.shortcut(h))


def filled(tensor, weights):
    with torch.no_grad():
        tensor.copy_(next(weights))


def affine(module, weights):
    filled(module.weight, weights)
    if module.bias is not None:
        filled(module.bias, weights)
    return module


def dense(layer, weights):
    module = nn.Linear(layer["inputs"], layer["units"])
    with torch.no_grad():
        module.weight.copy_(next(weights).t())
    filled(module.bias, weights)
    return module


def conv(layer, weights):
    sizes = layer["channels"], layer["filters"], layer["kernel"]
    return affine(nn.Conv2d(*sizes, layer["stride"], layer["padding"], bias=layer["bias"]), weights)


def sequence(layers, weights, flat=False):
    """`layers` as a module; batch-norm behind a flattening layer is over [n, channels]."""
    modules = []
    for layer in layers:
        kind = layer["kind"]
        if kind == "dense":
            modules.append(dense(layer, weights))
        elif kind == "conv":
            modules.append(conv(layer, weights))
        elif kind == "norm":
            norm = nn.BatchNorm1d if flat else nn.BatchNorm2d
            modules.append(affine(norm(layer["channels"], eps=1e-5, momentum=0.1), weights))
        elif kind == "relu":
            modules.append(nn.ReLU(inplace=True))
        elif kind == "maxpool":
            modules.append(nn.MaxPool2d(layer["kernel"]))
        elif kind == "meanpool":
            modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            flat = True
        elif kind == "flatten":
            modules.append(nn.Flatten())
            flat = True
        elif kind == "dropout":
            modules.append(nn.Dropout(layer["rate"]))
        elif kind == "residual":
            before, branch = sequence(layer["before"], weights), sequence(layer["branch"], weights)
            shortcut = sequence(layer["shortcut"], weights) if layer["shortcut"] else None
            modules.append(Residual(before, branch, shortcut))
        else:
            raise ValueError(f"no layer '{kind}'")
    return nn.Sequential(*modules)


def network(layers, weights):
    return sequence(layers, iter(weights))

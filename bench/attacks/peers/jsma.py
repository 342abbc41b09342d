"""JSMA of torchattacks and of ART (pip install --no-deps torchattacks adversarial-robustness-toolbox).

Both reach for a class: here the likeliest beside the label. Both stop at a share of the inputs, gamma, which is ε over
their number. ART's takes the two largest derivatives of the target, which is the published map where the model's
outputs sum to 1: its model gets a softmax.
"""

import art
import numpy
import torch
import torchattacks
from art.attacks.evasion import SaliencyMapMethod
from art.estimators.classification import PyTorchClassifier

VERSION = f"torchattacks {torchattacks.__version__}, ART {art.__version__}"


def rivals(model, x, y):
    logits = model(x).detach().clone()
    logits.scatter_(1, y[:, None], -float("inf"))
    return logits.argmax(1)


def share(x, epsilon):
    return min(1.0, epsilon / x[0].numel())


def of_torchattacks(model, x, y, norm, epsilon, options):
    attack = torchattacks.JSMA(model, theta=options["theta"], gamma=share(x, epsilon))
    attack.set_mode_targeted_by_label(quiet=True)
    return attack(x, rivals(model, x, y))


def of_art(model, x, y, norm, epsilon, options):
    classes = model(x[:2]).shape[1]
    classifier = PyTorchClassifier(
        model=torch.nn.Sequential(model, torch.nn.Softmax(dim=1)),
        loss=torch.nn.NLLLoss(),
        input_shape=tuple(x.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
    )
    attack = SaliencyMapMethod(
        classifier, theta=options["theta"], gamma=share(x, epsilon), batch_size=len(x), verbose=False
    )
    targets = numpy.eye(classes, dtype=numpy.float32)[rivals(model, x, y).numpy()]
    return torch.from_numpy(attack.generate(x.numpy(), targets))


ATTACKS = {"jsma": of_torchattacks, "jsma of ART": of_art}

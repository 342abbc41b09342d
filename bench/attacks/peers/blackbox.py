"""Square and SPSA of torchattacks, HopSkipJump of Foolbox (pip install --no-deps torchattacks foolbox; eagerpy)."""

import foolbox
import torch
import torchattacks

VERSION = f"torchattacks {torchattacks.__version__}, foolbox {foolbox.__version__}"


def square(model, x, y, norm, epsilon, options):
    named = {"linf": "Linf", "l2": "L2"}[norm]
    seed = torch.initial_seed()
    return torchattacks.Square(model, norm=named, eps=epsilon, n_queries=options["queries"], seed=seed)(x, y)


def spsa(model, x, y, norm, epsilon, options):
    attack = torchattacks.SPSA(
        model,
        eps=epsilon,
        delta=options["delta"],
        lr=options["learning_rate"],
        nb_iter=options["steps"],
        nb_sample=options["samples"],
        max_batch_size=options["samples"],
    )
    return attack(x, y)


def hop_skip_jump(model, x, y, norm, epsilon, options):
    attack = foolbox.attacks.HopSkipJumpAttack(steps=options["steps"], constraint=norm)
    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    return attack.run(wrapped, x, foolbox.criteria.Misclassification(y))


ATTACKS = {"square": square, "spsa": spsa, "hop-skip-jump": hop_skip_jump}

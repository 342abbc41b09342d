"""FAB of torchattacks, which is AutoAttack's (pip install --no-deps torchattacks)."""

import torch
import torchattacks

VERSION = f"torchattacks {torchattacks.__version__}"
NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}


def fab(model, x, y, norm, epsilon, options):
    # An infinite radius is not taken; no distance in the box is larger than this one.
    radius = min(epsilon, 1e6)
    return torchattacks.FAB(model, norm=NORMS[norm], eps=radius, seed=torch.initial_seed(), **options)(x, y)


ATTACKS = {"fab": fab}

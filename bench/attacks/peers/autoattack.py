"""AutoAttack and its APGD (pip install git+https://github.com/fra31/auto-attack@a392200)."""

import torch
from autoattack import AutoAttack
from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted

VERSION = "auto-attack a392200"
NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}


def settings(norm, epsilon, options):
    return {"norm": NORMS[norm], "eps": epsilon, "seed": torch.initial_seed(), "n_iter": 100, **options}


def apgd(loss):
    def run(model, x, y, norm, epsilon, options):
        return APGDAttack(model, loss=loss, **settings(norm, epsilon, options)).perturb(x, y)

    return run


def apgd_t(model, x, y, norm, epsilon, options):
    return APGDAttack_targeted(model, **settings(norm, epsilon, options)).perturb(x, y)


def autoattack(model, x, y, norm, epsilon, options):
    whole = AutoAttack(model, norm=NORMS[norm], eps=epsilon, seed=torch.initial_seed(), device="cpu", verbose=False, **options)
    return whole.run_standard_evaluation(x, y, bs=250)


ATTACKS = {"autoattack": autoattack, "apgd-ce": apgd("ce"), "apgd-dlr": apgd("dlr"), "apgd-t": apgd_t}

"""FGSM, BIM and PGD of torchattacks (pip install --no-deps torchattacks)."""

import torchattacks

VERSION = f"torchattacks {torchattacks.__version__}"


def fgsm(model, x, y, norm, epsilon, options):
    return torchattacks.FGSM(model, eps=epsilon)(x, y)


def bim(model, x, y, norm, epsilon, options):
    return torchattacks.BIM(model, eps=epsilon, alpha=options["step_size"], steps=options["steps"])(x, y)


def mi_fgsm(model, x, y, norm, epsilon, options):
    attack = torchattacks.MIFGSM(
        model, eps=epsilon, alpha=options["step_size"], steps=options["steps"], decay=options["decay"]
    )
    return attack(x, y)


def pgd(model, x, y, norm, epsilon, options):
    method = torchattacks.PGDL2 if norm == "l2" else torchattacks.PGD
    attack = method(
        model,
        eps=epsilon,
        alpha=options["step_size"],
        steps=options["steps"],
        random_start=options["random_start"],
    )
    return attack(x, y)


ATTACKS = {"fgsm": fgsm, "bim": bim, "mi-fgsm": mi_fgsm, "pgd": pgd}

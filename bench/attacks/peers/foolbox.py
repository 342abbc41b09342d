"""Minimal-norm attacks of foolbox (pip install --no-deps foolbox eagerpy)."""

import foolbox

VERSION = f"foolbox {foolbox.__version__}"


def run(attack, model, x, y):
    classifier = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    _, adversarial, _ = attack(classifier, x, foolbox.criteria.Misclassification(y), epsilons=None)
    return adversarial


def deepfool(model, x, y, norm, epsilon, options):
    kind = {"linf": foolbox.attacks.LinfDeepFoolAttack, "l2": foolbox.attacks.L2DeepFoolAttack}[norm]
    return run(kind(**options), model, x, y)


def ead(model, x, y, norm, epsilon, options):
    return run(foolbox.attacks.EADAttack(**options), model, x, y)


ATTACKS = {"deepfool": deepfool, "ead": ead}

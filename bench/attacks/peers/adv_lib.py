"""Minimal-norm attacks of adv-lib (pip install --no-deps adv-lib)."""

from importlib.metadata import version

from adv_lib import attacks

VERSION = f"adv-lib {version('adv-lib')}"
NORMS = {"linf": float("inf"), "l2": 2, "l1": 1}


def fab(model, x, y, norm, epsilon, options):
    limit = None if epsilon == float("inf") else epsilon
    return attacks.fab(model, x, y, NORMS[norm], ε=limit, **options)


def ddn(model, x, y, norm, epsilon, options):
    return attacks.ddn(model, x, y, **options)


def carlini_wagner(model, x, y, norm, epsilon, options):
    return attacks.carlini_wagner_l2(model, x, y, **options)


ATTACKS = {"fab of adv-lib": fab, "ddn": ddn, "carlini-wagner": carlini_wagner}

// What is compared. Each row: attack, norm, ε (none: the nearest point is looked for), options for both sides, and
// the name that the reference has in peers/; by default on both models and 1,000 images.

const pgd = (norm, epsilon) => ({
  attack: "pgd",
  norm,
  epsilon,
  options: { steps: 40, relativeStepSize: 2.5 },
  reference: { attack: "pgd", options: { steps: 40, step_size: (2.5 * epsilon) / 40 } },
});

const gradient = [
  { attack: "fgsm", norm: "linf", epsilon: 0.1, reference: { attack: "fgsm" } },
  pgd("linf", 0.1),
  pgd("l2", 1.5),
];

const square = (norm, epsilon) => ({
  attack: "square",
  norm,
  epsilon,
  options: { queries: 5000 },
  reference: { attack: "square", options: { queries: 5000 } },
});

const blackBox = [square("linf", 0.1), square("l2", 1.5)];

export const rows = [...gradient, ...blackBox];

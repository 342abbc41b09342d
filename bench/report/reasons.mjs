// Why a claim is missed, by what it begins with. Shown only beside claims that are.
const fused =
  "`torch.compile` fuses chains of element-wise operations (batch-norm, ReLU and their adjoints, the optimizer) into one pass over memory; ONNX Runtime takes one pass for each. The products themselves run at the rate of the table above.";

const reasons = [
  [
    "(a10)",
    "Each of the step's products has ten rows, too few for ONNX Runtime's kernels, which pack the 5 MB of weights anew for each since they change: kernels are 95 % of the step, at two fifths of the product's rate. At the full rate it would take 0.27 ms; the target asks for 0.47 ms in all. Profile: [a10](PROFILES.md).",
  ],
  [
    "(d)",
    "WAME holds five arrays of 48 MB. One fused pass would move 480 MB, 10 ms at this machine's 48 GB/s; ONNX Runtime's chain of sixteen element-wise operations takes 29 ms, products 26 ms. A compiled PyTorch optimizer is one such pass; only a fused kernel in the runtime could be ahead of it by half. A fused loop on the host in place of the chain took 40 ms. Profile: [d](PROFILES.md).",
  ],
  ["(c) Share", `Half of the step is not products. ${fused} Profile: [c](PROFILES.md).`],
  ["(c)", `${fused} Profile: [c](PROFILES.md).`],
  ["(e", `${fused} Profile: [e-plain](PROFILES.md).`],
  ["(f)", `${fused} Profile: [f](PROFILES.md).`],
  [
    "(g)",
    "An iteration is one pass forward and one back; the rest is the projection. Profile: [b-plain](PROFILES.md).",
  ],
  [
    "model A, jacobian-penalty, exact",
    "The arithmetic is 11.3 times the plain step's, and the plain step has become faster than when the target was set. Profiles: [b-plain, b-exact](PROFILES.md).",
  ],
  [
    "Speed of Temper / jax-js",
    "The step is bound by memory, not by arithmetic, so that a slower product costs the peer less than elsewhere. Profile: [d](PROFILES.md).",
  ],
  [
    "Speed of Temper / tfjs",
    "A forward pass of a fully connected network is products alone, and Temper runs them at more than four fifths of the machine's rate: twenty times tfjs would be beyond what the processor can do. Training steps hold.",
  ],
];

/** The reason why `claim` is missed. */
export function reasonFor(claim) {
  const [, reason] = reasons.find(([beginning]) => claim.startsWith(beginning)) ?? [];
  if (reason === undefined) throw new Error(`no reason for a missed claim: ${claim}`);
  return reason;
}

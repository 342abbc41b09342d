// `--mode`: whether dropout draws while a model is judged and attacked.
import { Option } from "@commander-js/extra-typings";

export const modeOption = new Option(
  "--mode <name>",
  "eval: dropout keeps all, unless its node says that it draws; train: it draws its masks for each image (batch " +
    "normalisation keeps its running statistics either way)",
)
  .choices(["eval", "train"] as const)
  .default("eval" as const);

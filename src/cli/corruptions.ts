// `--corruptions` and `--severities`: what an audit runs beside attacks.
import { Option } from "@commander-js/extra-typings";
import { fail } from "../base/errors.js";
import type { CorruptionPlan } from "../experiments/corruptions.js";
import { wholes, words } from "./parse.js";

export const corruptionsOption = new Option(
  "--corruptions <names>",
  "corruptions out of: temper list corruptions; or all, common, disturbances; separated by commas (default: none)",
).argParser(words);

export const severitiesOption = new Option(
  "--severities <list>",
  "severities of the corruptions, like 1,3,5 (default: 1 to 5)",
).argParser(wholes(1, 5));

/** What the two options ask for; throws for names that are none. */
export async function corruptionsFor(
  names: readonly string[] | undefined,
  severities: readonly number[] | undefined,
): Promise<{ corruptions?: CorruptionPlan }> {
  if (names === undefined) {
    if (severities !== undefined) fail("audit --severities", "--corruptions beside it", "none");
    return {};
  }
  const { checkCorruptions } = await import("../experiments/corruptions.js");
  checkCorruptions("audit --corruptions", names);
  return { corruptions: { names, ...(severities && { severities }) } };
}

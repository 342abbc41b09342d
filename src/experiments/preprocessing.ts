// Preprocessing as YAML, and what of it an audit's record says was done.
import { stringify } from "yaml";
import type { ImageSet } from "../data/image-set.js";
import { readPreprocessing, type Preprocessing } from "../data/preprocessing.js";
import type { InputMap } from "../nn/input-map.js";
import { readYaml } from "./yaml-file.js";

/** Where the YAML of the model at `path` lies. */
export const yamlBeside = (path: string): string => `${path.replace(/\.onnx$/i, "")}.yaml`;

/** Reads the YAML beside a model; errors begin with file:line:column. */
export const parsePreprocessing = (text: string, file: string): Preprocessing =>
  readYaml(text, file, (data) => readPreprocessing("preprocessing", data));

/** `base` with the keys that `settings` gives; errors name the key under --preprocess. */
export function overridden(base: Preprocessing, settings: Readonly<Record<string, unknown>>): Preprocessing {
  const read = readPreprocessing("--preprocess", settings);
  const given = Object.entries(read).filter(([key]) => Object.hasOwn(settings, key));
  return { ...base, ...Object.fromEntries(given) };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The keys that are not as they are by default. */
function keysGiven(preprocessing: Preprocessing): Partial<Preprocessing> {
  const plain: Partial<Preprocessing> = readPreprocessing("preprocessing", {});
  return Object.fromEntries(
    Object.entries(preprocessing).filter(
      ([key, value]) => value !== undefined && !same(value, plain[key as keyof Preprocessing]),
    ),
  );
}

/** The YAML to lie beside a model, a line for each key that is not as by default. */
export const preprocessingLines = (preprocessing: Preprocessing): string[] =>
  Object.entries(keysGiven(preprocessing)).map(([key, value]) => {
    const flow = { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 } as const;
    return `${key}: ${stringify(value, flow).trim()}`;
  });

/** What was done to the images: on the host for a folder, in front of the model for all. */
export function preprocessingDone(
  { source, imageShape }: Pick<ImageSet, "source" | "imageShape">,
  preprocessing: Preprocessing,
  map: InputMap,
): Record<string, unknown> {
  const { resize, interpolation, crop } = preprocessing;
  const { range, mean, std, channels } = keysGiven(preprocessing);
  const onHost =
    source === "folder"
      ? { ...(resize !== undefined && { resize, interpolation }), ...(crop !== undefined && { crop }) }
      : {};
  return {
    ...onHost,
    ...(source === "folder" && imageShape[0] === 1 && { channels: "gray" }),
    ...(range && { range }),
    ...(mean && { mean }),
    ...(std && { std }),
    ...(channels === "bgr" && { channels }),
    ...(map.isChannelsLast && { layout: "nhwc" }),
  };
}

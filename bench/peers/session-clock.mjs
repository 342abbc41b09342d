// Loaded ahead of Temper's contender, in its worker threads too: adds up the time within `session.run`.
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import ort from "onnxruntime-node";

if (isMainThread) setEnvironmentData("session-clock", new SharedArrayBuffer(8));
const clock = new Float64Array(getEnvironmentData("session-clock"));

const { prototype } = ort.InferenceSession;
const run = prototype.run;
prototype.run = async function (...given) {
  const begun = performance.now();
  const results = await run.apply(this, given);
  clock[0] += performance.now() - begun;
  return results;
};

// An engine in a process of its own, driven by messages: drivers are read at its start and can take it down.
import { localEngine } from "../../dist/runtime/engine.js";

const engine = localEngine(JSON.parse(process.argv[2] ?? "{}"));
const programs = new Map();

async function answer({ id, program, method, args }) {
  const value = await (program === undefined ? engine : programs.get(program))[method](...args);
  if (method !== "load") return value;
  programs.set(id, value);
  return id;
}

process.on("message", (request) => {
  answer(request).then(
    (value) => process.send({ id: request.id, value }),
    (error) => process.send({ id: request.id, error: error.message }),
  );
});

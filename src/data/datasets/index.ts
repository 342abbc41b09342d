// The registry of datasets: one file and one line each; the export's name is the command-line name.
export { mnist } from "./mnist.js";

// The order of folders under src/ (docs/ARCHITECTURE.md), and who may touch ONNX Runtime.
const folders = [
  "base",
  "graph",
  "ops",
  "autodiff",
  "onnx",
  "runtime",
  "nn",
  "optim",
  "data",
  "corruptions",
  "augmentations",
  "threat",
  "attacks",
  "evaluation",
  "defenses",
  "experiments",
  "report",
  "cli",
];

const orderRules = folders.slice(0, -1).map((folder, i) => ({
  name: `${folder}-imports-only-what-is-below`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(${folders.slice(i + 1).join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...orderRules,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-other-folders",
      comment: "A new folder gets its place in the order first.",
      severity: "error",
      from: {},
      to: { path: "^src/[^/]+/", pathNot: `^src/(${folders.join("|")})/` },
    },
    {
      name: "index-is-for-users",
      comment: "src/index.ts is the public surface; nothing inside imports it.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "onnxruntime-behind-one-file",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/runtime/ort\\.ts$" },
      to: { path: "onnxruntime", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "onnxruntime-types-in-runtime-only",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/runtime/" },
      to: { path: "onnxruntime" },
    },
    {
      name: "no-dev-dependencies",
      comment: "What src/ imports is installed with the package.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};

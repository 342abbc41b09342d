// The house style, where a linter can see it. Layout is prettier's; the order of folders is dependency-cruiser's.
import tseslint from "typescript-eslint";

/** Rules of strictTypeChecked that are set otherwise, each with its reason. */
const adjusted = {
  // Numbers in messages and names are the rule here, not a slip.
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  // `() => void call()` and `return void resolve()` are how a value is dropped on purpose.
  "@typescript-eslint/no-confusing-void-expression": [
    "error",
    { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
  ],
  // `void (await call())` does the same in an expression.
  "@typescript-eslint/no-meaningless-void-operator": "off",
  // `const { dropped: _, ...rest }` and callbacks that skip an argument.
  "@typescript-eslint/no-unused-vars": [
    "error",
    { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
  ],
};

const houseStyle = {
  "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
  "@typescript-eslint/explicit-module-boundary-types": "error",
  "@typescript-eslint/prefer-readonly": "error",
  "@typescript-eslint/switch-exhaustiveness-check": "error",
  "no-console": "error",
  eqeqeq: "error",
};

const namedExports = {
  "no-restricted-syntax": [
    "error",
    {
      selector: "ExportDefaultDeclaration",
      message: "Export by name: file, export and command word are one.",
    },
    { selector: "ExportSpecifier[exported.name='default']", message: "Export by name." },
  ],
};

const sizes = {
  "max-lines": ["error", 400],
  "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
  "@typescript-eslint/max-params": ["error", { max: 5 }],
};

export default tseslint.config(
  { ignores: ["dist/", "runs/", "results/", "coverage/", "src/onnx/generated/", "**/*.cjs"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: { ...adjusted, ...houseStyle },
  },
  { files: ["src/**/*.ts"], rules: { ...namedExports, ...sizes } },
  // `return expect(…)` ends a test early.
  { files: ["test/**/*.ts"], rules: { "@typescript-eslint/no-confusing-void-expression": "off" } },
  // What a command prints is its purpose.
  { files: ["src/cli/**/*.ts", "examples/**/*.ts", "bench/**/*.ts"], rules: { "no-console": "off" } },
  { files: ["**/*.{js,mjs}"], extends: [tseslint.configs.strict], rules: adjustedUntyped() },
);

/** The part of `adjusted` that needs no types. */
function adjustedUntyped() {
  return {
    "@typescript-eslint/no-unused-vars": adjusted["@typescript-eslint/no-unused-vars"],
    eqeqeq: "error",
  };
}

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    // Tests see no datasets that the user has fetched.
    env: { TEMPER_CACHE: "node_modules/.cache/temper-tests" },
  },
});

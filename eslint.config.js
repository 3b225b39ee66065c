// What the linter holds. The formatter decides layout, the compilers decide types; here are the mistakes both
// let through. assembly/ is read by a parser for TypeScript that is told to accept AssemblyScript's decorators
// (`@inline function`, `@unmanaged class`), without types: `tsc` would misread it, `asc` checks it instead.

import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const wasmSources = ["assembly/**/*.ts", "test/assembly/**/*.ts", "examples/wasi/**/*.ts"];
// Number constants that both compilers read.
const sharedSources = ["assembly/abi/**/*.ts"];
const nodeSources = ["host/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "examples/**/*.ts", "*.config.ts"];

/**
 * Rules that need no types and hold everywhere.
 * @type {import("eslint").Linter.Config["rules"]}
 */
const everywhere = {
  "no-debugger": "error",
  "no-unreachable": "error",
  "no-duplicate-case": "error",
  "no-dupe-else-if": "error",
  "no-self-assign": "error",
  "no-self-compare": "error",
  "no-unsafe-finally": "error",
  "no-template-curly-in-string": "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"], location: "anywhere" }],
  "max-lines": ["error", { max: 400 }],
  "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  "@typescript-eslint/no-dupe-class-members": "error",
};

export default defineConfig(
  globalIgnores(["build/", "dist/", "coverage/", "**/node_modules/"]),
  {
    files: ["**/*.ts", "**/*.mjs", "**/*.js"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: { parser: tseslint.parser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: everywhere,
  },
  {
    files: wasmSources,
    languageOptions: { parserOptions: { allowInvalidAST: true } },
    rules: {
      // In AssemblyScript `==` is `===`, and a `throw` ends the instance with every connection in it.
      eqeqeq: "off",
      "no-throw-literal": "off",
      "no-restricted-syntax": [
        "error",
        {
          selector: "ThrowStatement",
          message: "A throw aborts the instance: answer with a negative status.",
        },
        { selector: "TSAnyKeyword", message: "AssemblyScript has no `any`." },
      ],
    },
  },
  {
    files: nodeSources,
    ignores: wasmSources,
    extends: [tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/prefer-promise-reject-errors": "error",
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Statuses and event kinds come out of linear memory as numbers; the enums name them.
      "@typescript-eslint/no-unsafe-enum-comparison": "off",
      // A handler may be async without awaiting: its callers want a promise either way.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    // A table of cases is easier to read in one place than in several.
    files: ["test/**/*.ts"],
    rules: { "max-lines": ["error", { max: 700 }] },
  },
  {
    files: sharedSources,
    rules: { "no-restricted-syntax": "off" },
  },
);

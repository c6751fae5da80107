import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export const config = defineConfig(
  globalIgnores(["node_modules/", ".compiled/", ".lab/", ".hearth/", "coverage/", "**/*.d.ts"]),
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name: one word for one thing." },
      ],
    },
  },
  {
    // Components are made for their effect on the stack, and are classes by Pulumi's contract.
    files: ["components/**/*.ts", "infra/**/*.ts", "test/**/*.ts"],
    rules: { "@typescript-eslint/no-extraneous-class": "off", "no-new": "off" },
  },
  {
    // Node.js runs the program as it is, by leaving the types out: what TypeScript would have to translate stops it.
    files: ["components/**/*.ts", "infra/**/*.ts", "sdks/**/*.ts"],
    rules: {
      "@typescript-eslint/parameter-properties": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name: one word for one thing." },
        { selector: "TSEnumDeclaration, TSModuleDeclaration[declare!=true]", message: "Node.js cannot leave it out." },
      ],
    },
  },
  {
    // chai's assertions are property reads.
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", setInterval: "readonly", clearInterval: "readonly" },
    },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { globals: { require: "readonly", module: "writable", __dirname: "readonly" } },
  },
);

export default config;

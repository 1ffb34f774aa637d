/** Format, lint and types; the dependency rule is a test of its own, `test/dependency-rule.test.ts`. */
const steps = [
  ["node_modules/.bin/biome", "check", "--error-on-warnings", "."],
  // More checkers would each work out the same types again.
  ["node_modules/.bin/tsc", "--checkers", "2"],
  [process.execPath, "test", "test/dependency-rule.test.ts"],
];
for (const step of steps) {
  const code = await Bun.spawn(step, { stdio: ["ignore", "inherit", "inherit"] }).exited;
  if (code !== 0) process.exit(code);
}

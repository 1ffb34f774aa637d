import { walk } from "../../src/streaming/library-files.ts";

/** Run as a program by somebody else: prints what a walk of a folder finds, by path. */
const found = [];
for await (const group of walk(process.argv[2] ?? "")) found.push(...group);
found.sort((a, b) => (a.path < b.path ? -1 : 1));
console.log(JSON.stringify(found));

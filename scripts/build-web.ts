/**
 * Builds the web app from `src/web/` into `dist/web/` (hashed names, a `.gz` beside each file) and packs the same files
 * into `dist/web.tar`, which the server reads and a compiled executable embeds. Does nothing when the sources have
 * not changed since; `--force` builds anyway. Prints the gzip size of each page against its budget.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import hlsPackage from "hls.js/package.json" with { type: "json" };
import * as mediaChrome from "media-chrome";
import * as mediaChromeMenus from "media-chrome/menu";

const root = join(import.meta.dir, "..");
const source = join(root, "src", "web");
const target = join(root, "dist");
const fontPackage = join(root, "node_modules/@fontsource-variable/instrument-sans");
const BUDGET_KB = { library: 60, watch: 300 } as const;

/**
 * hls.js is built from its own sources with its own switches, as its `rollup.config.js` does for its variants: what no
 * playlist of ours has is left out, which is a quarter of it.
 */
function useHlsSource(builder: Bun.PluginBuilder): void {
  builder.onResolve({ filter: /^hls\.js$/ }, () => ({ path: join(root, "node_modules/hls.js/src/hls.ts") }));
}
const hlsParts = {
  ...{ ALT_AUDIO: true, SUBTITLES: true, MEDIA_CAPABILITIES: true },
  ...{ EME_DRM: false, CMCD: false, CONTENT_STEERING: false, INTERSTITIALS: false },
  ...{ VARIABLE_SUBSTITUTION: false, IFRAMES: false, M2TS_ADVANCED_CODECS: false },
};
const hlsDefines: Record<string, string> = {
  __VERSION__: JSON.stringify(hlsPackage.version),
  __HLS_WORKER_BUNDLE__: "undefined",
  __IN_WORKER__: "false",
  ...Object.fromEntries(Object.entries(hlsParts).map(([part, used]) => [`__USE_${part}__`, String(used)])),
};

interface Output {
  /** Path below `dist/web/`. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** Builds when the sources are newer than the last build. */
async function buildWebIfStale(force: boolean): Promise<void> {
  const inputs = await digestOfInputs();
  const stamp = Bun.file(join(target, "web", ".inputs"));
  if (!force && existsSync(join(target, "web.tar")) && (await stamp.exists()) && (await stamp.text()) === inputs)
    return;
  const started = performance.now();
  const outputs = await build();
  await write(outputs, inputs);
  printSizes(outputs);
  console.log(`web app built in ${Math.round(performance.now() - started)} ms`);
}

/** What a build depends on: contents of the sources, this script, and the versions of the packages. */
async function digestOfInputs(): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const files = [...new Bun.Glob("**/*").scanSync({ cwd: source, absolute: true })].sort();
  for (const path of [...files, import.meta.path, join(root, "package-lock.json")]) {
    hash.update(`${relative(root, path)}\0`).update(await Bun.file(path).bytes());
  }
  return hash.digest("hex");
}

async function build(): Promise<Output[]> {
  const result = await Bun.build({
    entrypoints: [join(source, "main.tsx"), join(source, "styles", "more.css")],
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    publicPath: "/assets/",
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    // Left alone: Bun would put it into the stylesheet, where it delays the first text.
    external: ["*.woff2"],
    define: { "process.env.NODE_ENV": '"production"', ...hlsDefines },
    plugins: [{ name: "hls.js from its sources", setup: useHlsSource }, oneMainChunk(await lazyModules())],
  });
  const scripts = await Promise.all(
    result.outputs
      .filter(({ path }) => path.endsWith(".js"))
      .map(async (file) => output(`assets/${basename(file.path)}`, new Uint8Array(await file.arrayBuffer()))),
  );
  const unset = scripts.flatMap(
    ({ bytes }) =>
      new TextDecoder().decode(bytes).match(/\b__(USE_[A-Z0-9_]+|VERSION|IN_WORKER|HLS_WORKER_BUNDLE)__\b/g) ?? [],
  );
  if (unset.length > 0) throw new Error(`switches of hls.js that nobody set: ${[...new Set(unset)].join(", ")}`);
  const entry = result.outputs.find((file) => file.kind === "entry-point" && file.path.endsWith(".js"));
  const css = await styleOf(result.outputs, "main");
  const moreCss = await styleOf(result.outputs, "more");
  if (!entry || css === null || moreCss === null) throw new Error("the build has no entry point or no stylesheet");
  const script = `assets/${basename(entry.path)}`;
  const icon = named("icon.svg", await Bun.file(join(source, "icon.svg")).bytes());
  const font = named("instrument-sans.woff2", await Bun.file(join(source, "instrument-sans.woff2")).bytes());
  const license = named("instrument-sans-license.txt", await Bun.file(join(fontPackage, "LICENSE")).bytes());
  const style = named("main.css", encode(css.replace(/url\([^)]*\.woff2"?\)/, `url("/${font.path}")`)));
  const moreStyle = named("more.css", encode(moreCss));
  const preload = [...closure(scripts, script)].filter((path) => path !== script);
  const html = (await Bun.file(join(source, "index.html")).text())
    .replace("{{icon}}", `/${icon.path}`)
    .replace("{{style}}", `/${style.path}`)
    .replace("{{manifest}}", "/manifest.webmanifest")
    .replace("{{more-style}}", `/${moreStyle.path}`)
    .replace("{{script}}", `/${script}`)
    .replace("{{preload}}", preload.map((path) => `<link rel="modulepreload" href="/${path}">`).join(""));
  return [
    output("index.html", encode(html)),
    output("manifest.json", encode(JSON.stringify({ styleHashes: styleHashes() }))),
    ...[icon, font, license, style, moreStyle],
    ...(await installedFiles(icon, style)),
    ...scripts,
  ];
}

/** What an installed app needs: its description, its icons, and what it shows when the server is away. */
async function installedFiles(icon: Output, style: Output): Promise<Output[]> {
  const names = ["icon-192", "icon-512", "icon-maskable"];
  const icons = await Promise.all(
    names.map(async (name) => named(`${name}.png`, await Bun.file(join(source, "icons", `${name}.png`)).bytes())),
  );
  const offline = named("offline.js", await Bun.file(join(source, "offline.js")).bytes());
  const addresses = new Map([
    ["icon", icon],
    ["style", style],
    ["offline", offline],
    ...names.map((name, at) => [name, icons[at]] as const),
  ]);
  const filled = async (name: string, version: string) =>
    (await Bun.file(join(source, name)).text()).replace(/\{\{([\w-]+)\}\}/g, (_, key: string) =>
      key === "version" ? version : `/${addresses.get(key)?.path}`,
    );
  const page = await filled("offline.html", "");
  const worker = await filled("service-worker.js", Bun.hash(page + style.path).toString(36));
  const manifest = await filled("manifest.webmanifest", "");
  return [
    ...icons,
    offline,
    output("offline.html", encode(page)),
    output("service-worker.js", encode(worker)),
    output("manifest.webmanifest", encode(JSON.stringify(JSON.parse(manifest)))),
  ];
}

/** The modules that others load when they need them. */
async function lazyModules(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const path of new Bun.Glob("**/*.{ts,tsx}").scanSync({ cwd: source, absolute: true })) {
    const text = await Bun.file(path).text();
    for (const [, name = ""] of text.matchAll(/import\("(\.[^"]+)"\)/g)) found.add(join(dirname(path), name));
  }
  return found;
}

/**
 * What the app always loads stays in one file. Left to itself, the bundler makes one of each set of modules that some
 * lazy ones share: twenty small files, which are larger together. So each lazy module says that it needs all of the app.
 */
function oneMainChunk(lazy: ReadonlySet<string>): Bun.BunPlugin {
  return {
    name: "one main chunk",
    setup(builder) {
      builder.onLoad({ filter: /src\/web\/.*\.tsx?$/ }, async ({ path }) => {
        const text = await Bun.file(path).text();
        const loader = path.endsWith("x") ? "tsx" : "ts";
        // Used, for what is only imported is left out.
        const need = `import { App as needed } from ${JSON.stringify(join(source, "app.tsx"))};\nif (!needed) throw 0;\n`;
        return { contents: lazy.has(path) ? need + text : text, loader };
      });
    },
  };
}

/** The stylesheet that was made of the entry point `name`. */
async function styleOf(outputs: readonly Bun.BuildArtifact[], name: string): Promise<string | null> {
  return (
    (await outputs.find(({ path }) => basename(path).startsWith(`${name}-`) && path.endsWith(".css"))?.text()) ?? null
  );
}

const encode = (text: string) => new TextEncoder().encode(text);

/** A file whose name changes with its content, so that it may be kept for ever. */
function named(name: string, bytes: Uint8Array<ArrayBuffer>): Output {
  const [stem, extension] = name.split(".");
  return output(`assets/${stem}-${Bun.hash(bytes).toString(36).slice(0, 8)}.${extension}`, bytes);
}

function output(path: string, bytes: Uint8Array<ArrayBuffer>): Output {
  return { path, bytes, gzip: Bun.gzipSync(bytes, { library: "libdeflate", level: 12 }) };
}

/**
 * CSP hashes (CSP 3 section 2.3.1) of the `<style>` elements that media-chrome puts into its shadow roots, so that
 * the policy allows these and no other inline style.
 */
function styleHashes(): string[] {
  const styles = new Set<string>();
  for (const element of [...Object.values(mediaChrome), ...Object.values(mediaChromeMenus)]) {
    if (typeof element !== "function" || !("getTemplateHTML" in element)) continue;
    const template = element.getTemplateHTML as (attributes: object, props: object) => string;
    const html = template.call(element, {}, {});
    for (const [, style = ""] of html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)) styles.add(style);
  }
  return [...styles].map((style) => `'sha256-${new Bun.CryptoHasher("sha256").update(style).digest("base64")}'`).sort();
}

/** A script and everything it imports statically. */
function closure(files: readonly Output[], script: string, seen = new Set<string>()): Set<string> {
  if (seen.has(script)) return seen;
  seen.add(script);
  for (const { kind, path } of importsOf(files, script)) if (kind === "import-statement") closure(files, path, seen);
  return seen;
}

function importsOf(files: readonly Output[], script: string) {
  const text = new TextDecoder().decode(files.find((file) => file.path === script)?.bytes);
  return new Bun.Transpiler({ loader: "js" })
    .scanImports(text)
    .map(({ kind, path }) => ({ kind, path: `assets/${basename(path)}` }));
}

/** Everything a script can come to load, but not what only `except` leads to. */
function reachable(files: readonly Output[], script: string, except: RegExp, seen = new Set<string>()): Set<string> {
  if (seen.has(script) || except.test(script)) return seen;
  seen.add(script);
  for (const { path } of importsOf(files, script)) reachable(files, path, except, seen);
  return seen;
}

async function write(outputs: readonly Output[], inputs: string): Promise<void> {
  const folder = join(target, `web-${process.pid}`);
  mkdirSync(join(folder, "assets"), { recursive: true });
  const packed: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const { path, bytes, gzip } of outputs) {
    await Bun.write(join(folder, path), bytes);
    packed[path] = bytes;
    if (isPacked(path)) continue;
    await Bun.write(join(folder, `${path}.gz`), gzip);
    packed[`${path}.gz`] = gzip;
  }
  await Bun.write(join(folder, ".inputs"), inputs);
  await Bun.write(`${folder}.tar`, new Bun.Archive(packed));
  renameSync(`${folder}.tar`, join(target, "web.tar"));
  rmSync(join(target, "web"), { recursive: true, force: true });
  renameSync(folder, join(target, "web"));
}

function printSizes(outputs: readonly Output[]): void {
  const page = new TextDecoder().decode(outputs.find(({ path }) => path === "index.html")?.bytes);
  const script = /src="\/(assets\/main-[^"]*\.js)"/.exec(page)?.[1];
  if (script === undefined) throw new Error("the page names no script");
  const always = outputs
    .filter(({ path }) => path === "index.html" || /\.(svg|woff2)$|\/main-.*\.css$/.test(path))
    .map(({ path }) => path);
  const pages = {
    // With what it loads by itself once it is there.
    library: [
      ...always,
      ...closure(outputs, script),
      ...outputs
        .filter(({ path }) => /\/(background|folder-bar|still)-/.test(path))
        .flatMap(({ path }) => [...closure(outputs, path)]),
      "manifest.webmanifest",
    ],
    watch: [
      ...always,
      ...outputs.filter(({ path }) => /\/more-.*\.css$/.test(path)).map(({ path }) => path),
      ...reachable(outputs, script, /\/(tus|upload|sign-in|account|collection|admin|es|index|tray)-/),
    ],
  };
  for (const [page, paths] of Object.entries(pages)) {
    const kb = outputs.filter(({ path }) => paths.includes(path)).reduce((sum, file) => sum + sent(file), 0) / 1000;
    const budget = BUDGET_KB[page as keyof typeof BUDGET_KB];
    console.log(`${page} page: ${kb.toFixed(1)} KB gzip (budget ${budget} KB)${kb > budget ? " OVER BUDGET" : ""}`);
    if (kb > budget) process.exitCode = 1;
  }
}

/** Whether compression gains nothing. */
const isPacked = (path: string) => /\.(woff2|png)$/.test(path);

const sent = ({ path, bytes, gzip }: Output) => (isPacked(path) ? bytes.length : gzip.length);

await buildWebIfStale(Bun.argv.includes("--force"));

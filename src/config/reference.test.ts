import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effectiveSettings } from "./effective.ts";
import { configFields } from "./fields.ts";
import { loadConfig } from "./load.ts";
import { referencePage, sampleFile } from "./reference.ts";

const root = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "kinora-reference-"));
afterAll(() => rmSync(folder, { recursive: true }));

function saved(text: string): string {
  const path = join(folder, "kinora.yaml");
  writeFileSync(path, text);
  return path;
}

/** The sample with every key in force: comments that are a key lose their mark. */
const uncommented = () => sampleFile().replaceAll(/^( *)# (\w+: .*)$/gm, "$1$2");

test("docs/configuration.md and kinora.example.yaml are what the schema says (npm run docs writes them)", async () => {
  expect(await Bun.file(join(root, "docs/configuration.md")).text()).toBe(referencePage());
  expect(await Bun.file(join(root, "kinora.example.yaml")).text()).toBe(sampleFile());
});

test("the sample file loads as it is, and sets nothing", async () => {
  const { settings } = await loadConfig({ file: join(root, "kinora.example.yaml"), env: {} });
  expect(settings.size).toBe(0);
});

test("every key of the sample can be put in force, with the defaults it shows", async () => {
  const file = saved(uncommented());
  const { settings, config } = await loadConfig({ file, env: {} });
  // It has no example that anybody should copy.
  const later = ["secret"];
  expect([...settings.keys()].sort()).toEqual(
    configFields
      .map(({ key }) => key)
      .filter((key) => !later.includes(key))
      .sort(),
  );
  const defaults = (await loadConfig({ file: saved(""), env: {} })).config;
  expect(config.listen).toEqual(defaults.listen);
  expect(config.auth).toEqual(defaults.auth);
  expect(config.upload).toEqual(defaults.upload);
});

test("every key is described", () => {
  for (const field of configFields) {
    expect([field.key, field.description]).toEqual([field.key, expect.stringMatching(/^[A-Z`].*\.$/)]);
  }
});

test("the names that others rely on are there", () => {
  const names = new Map(configFields.map(({ key, env }) => [key, env]));
  for (const [key, env] of [
    ["listen", "KINORA_LISTEN"],
    ["data", "KINORA_DATA"],
    ["rtsp.listen", "KINORA_RTSP_LISTEN"],
    ["publicUrl", "KINORA_PUBLIC_URL"],
    ["trustedProxies", "KINORA_TRUSTED_PROXIES"],
    ["registration", "KINORA_REGISTRATION"],
    ["library.folders", "KINORA_LIBRARY_FOLDERS"],
    ["database", "KINORA_DATABASE"],
    ["redis", "KINORA_REDIS"],
    ["nats", "KINORA_NATS"],
    ["secret", "KINORA_SECRET"],
    ["storage", "KINORA_STORAGE"],
    ["upload.maxSize", "KINORA_UPLOAD_MAX_SIZE"],
  ] as const) {
    expect(names.get(key)).toBe(env);
  }
});

test("the configuration in effect is itself a configuration file with the same meaning", async () => {
  const before = await loadConfig({
    file: saved(
      "library: { folders: [{ path: '/srv/a: b', visibility: public }, ~/Videos] }\npublicUrl: https://a.example",
    ),
    env: { KINORA_AUTH_TOKEN_LIFETIME: "5s", KINORA_TRUSTED_PROXIES: "127.0.0.1,::1" },
  });
  const lines = effectiveSettings(before);
  const after = await loadConfig({ file: saved(lines.map(({ line }) => line).join("\n")), env: {} });
  expect(after.config).toEqual(before.config);
  expect(lines.find(({ line }) => line.includes("tokenLifetime"))).toEqual({
    line: "  tokenLifetime: 5s",
    source: "environment KINORA_AUTH_TOKEN_LIFETIME",
  });
});

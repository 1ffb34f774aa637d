import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestKinora, TestUser } from "../../test/support/kinora.ts";
import { StartError } from "../errors.ts";
import { readTls } from "./tls.ts";

const folder = mkdtempSync(join(tmpdir(), "kinora-tls-"));
const at = (name: string) => join(folder, name);

function makeCertificate(name: string): void {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...[...subject, "-keyout", at(`${name}.key`), "-out", at(`${name}.pem`)],
  ]);
  expect(made.exitCode).toBe(0);
}

beforeAll(() => {
  makeCertificate("one");
  makeCertificate("other");
  writeFileSync(at("text.pem"), "no certificate\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("with a certificate and its key everything is HTTPS, and the session cookie is for HTTPS alone", async () => {
  const kinora = await startTestKinora({ tls: { cert: at("one.pem"), key: at("one.key") } });
  try {
    expect(kinora.url).toStartWith("https://127.0.0.1:");
    const tls = { ca: await Bun.file(at("one.pem")).text() };
    const answer = await fetch(`${kinora.url}/api/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "ada", password: "correct horse battery" }),
      tls,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.getSetCookie()[0]).toContain("Secure");
    expect((await fetch(`${kinora.url}/healthz`, { tls })).status).toBe(200);
    await expect(fetch(`${kinora.url}/healthz`)).rejects.toThrow();
    await expect(TestUser.signIn({ url: kinora.url.replace("https:", "http:") }, "eve")).rejects.toThrow();
  } finally {
    await kinora.close();
  }
});

test.each([
  ["a file that is not there", "none.pem", "one.key", "cannot be read"],
  ["a file that is no certificate", "text.pem", "one.key", "tls.cert"],
  ["a key that is none", "one.pem", "text.pem", "tls.key"],
  ["another certificate's key", "one.pem", "other.key", "is not that of"],
])("%s stops the start, and says so", (_, cert, key, said) => {
  let thrown: unknown;
  try {
    readTls({ cert: at(cert), key: at(key) });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(StartError);
  expect((thrown as StartError).message).toContain(said);
});

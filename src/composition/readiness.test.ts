import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ensureDebianPackages, has } from "../../test/support/debian.ts";
import { startTestKinora, type TestKinora } from "../../test/support/kinora.ts";
import { startTestNats, type TestNats } from "../../test/support/nats.ts";
import { until } from "../../test/support/until.ts";
import { permissionsOf } from "../bus/permissions.ts";
import { derivedLogin } from "../config/bus-logins.ts";
import { contracts } from "../contracts.ts";

await ensureDebianPackages({ "nats-server": "nats-server" });

const secret = "a secret of more than thirty-two characters";
const names = ["main", "auth", "catalog", "upload", "streaming"] as const;
const PATIENCE_MS = 30_000;

describe.skipIf(!has("nats-server"))("/readyz of services that are spread out", () => {
  let nats: TestNats;
  let main: TestKinora;
  let others: TestKinora;
  beforeAll(async () => {
    const logins = new Map(names.map((name) => [name, derivedLogin(secret, name)]));
    nats = await startTestNats(permissionsOf(contracts), { logins });
    main = await startTestKinora(config(), { services: ["main"] });
  }, PATIENCE_MS);
  afterAll(async () => {
    await others?.close();
    await main?.close();
    await nats?.close();
  });

  const config = () => ({ nats: `nats://${nats.server}`, secret, registration: "open" as const });
  const ask = async ({ url }: TestKinora, path = "/readyz") => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const ready = (kinora: TestKinora, path?: string) =>
    until(async () => (await ask(kinora, path)).status === 200, PATIENCE_MS);
  const notReady = (kinora: TestKinora, missing: { name: string; reason: string }[]) =>
    until(async () => {
      const { status, text } = await ask(kinora);
      if (status !== 503) return false;
      const said = JSON.parse(text) as {
        status: string;
        notReady: string[];
        reasons: { name: string; reason: string }[];
      };
      if (!Bun.deepEquals(said.reasons, missing)) return false;
      expect(said).toEqual({ status: "not-ready", notReady: missing.map(({ name }) => name), reasons: missing });
      // Anybody may ask.
      expect(text).not.toMatch(/127\.0\.0\.1|\d{4}|\/tmp|password/);
      return true;
    }, PATIENCE_MS);

  test(
    "names the services that nobody runs, and says when all are there",
    async () => {
      const nobody = { reason: "No instance of it runs." };
      await notReady(
        main,
        ["auth", "catalog", "upload", "streaming"].map((name) => ({ name, ...nobody })),
      );
      // It could answer for those that come: a load balancer may send it what there is.
      await ready(main, "/readyz?only=self");
      others = await startTestKinora(config(), { services: ["auth", "catalog", "streaming"] });
      await notReady(main, [{ name: "upload", ...nobody }]);
      await ready(others);
      await others.close();
      others = await startTestKinora(config(), { services: ["auth", "catalog", "upload", "streaming"] });
      await ready(main);
      await ready(others);
    },
    3 * PATIENCE_MS,
  );

  test(
    "names the broker that is away; the process lives, and may be sent to",
    async () => {
      await nats.kill();
      const broker = { name: "broker", reason: "It cannot be reached." };
      await notReady(main, [broker]);
      await notReady(others, [broker]);
      for (const kinora of [main, others])
        for (const path of ["/healthz", "/readyz?only=self"]) expect((await ask(kinora, path)).status).toBe(200);
      await nats.start();
      await ready(main);
      await ready(others);
    },
    3 * PATIENCE_MS,
  );
});

import { expect, test } from "bun:test";
import { AllowedHosts, type HostRules, hostsOf, WrongHostError } from "./allowed-hosts.ts";

const rules: HostRules = { loopbackOnly: true, publicOrigin: null, allowedHosts: [], machineName: "nas.home.arpa" };

function accepts(changes: Partial<HostRules>, ...hosts: string[]): boolean {
  try {
    new AllowedHosts({ ...rules, ...changes }).require(hosts);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WrongHostError);
    return false;
  }
}

test("addresses and localhost are accepted everywhere, with any port", () => {
  for (const loopbackOnly of [true, false])
    for (const host of ["localhost", "LOCALHOST:8080", "a.localhost:1", "localhost.", "127.0.0.1:8080", "[::1]:8080"])
      expect([host, accepts({ loopbackOnly }, host)]).toEqual([host, true]);
});

test("other names are refused: a page of theirs could have them point here", () => {
  const names = ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b"];
  for (const host of [...names, "[evil]", "xlocalhost", "localhost:8080:1", "user@localhost"])
    expect([host, accepts({}, host), accepts({ loopbackOnly: false }, host)]).toEqual([host, false, false]);
});

test("the machine's names count where the network reaches it, and only there", () => {
  for (const host of ["nas.home.arpa", "nas", "nas.local:8080"]) {
    expect(accepts({ loopbackOnly: false }, host)).toBe(true);
    expect(accepts({}, host)).toBe(false);
  }
});

test("publicUrl's host and those of allowedHosts are accepted", () => {
  const changes = { publicOrigin: "https://video.example.org", allowedHosts: ["nas.lan", "*.Ts.example.net"] };
  for (const host of ["video.example.org", "video.example.org:443", "NAS.lan:8080", "a.ts.example.net"])
    expect([host, accepts(changes, host)]).toEqual([host, true]);
  for (const host of ["ts.example.net", "other.example.org"])
    expect([host, accepts(changes, host)]).toEqual([host, false]);
});

test("what a proxy says the client named counts only from a trusted one, and every name must be Kinora's", () => {
  const headers = new Headers({
    Host: "127.0.0.1:8080",
    "X-Forwarded-Host": "a.example, b.example",
    Forwarded: 'for=192.0.2.1;host="c.example:443", host=d.example',
  });
  expect(hostsOf(headers, false)).toEqual(["127.0.0.1:8080"]);
  expect(hostsOf(headers, true).map((host) => host.trim())).toEqual([
    "127.0.0.1:8080",
    "a.example",
    "b.example",
    "c.example:443",
    "d.example",
  ]);
  expect(accepts({ allowedHosts: ["a.example"] }, "127.0.0.1", "a.example", "b.example")).toBe(false);
});

const DEFAULT_PORT = 6379;
/** Longer is no refusal. */
const MAX_ANSWER = 1_024;
/** What Redis says while it is not ready: it will be. */
const NOT_YET = /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN)\b/;

/** A command as it is sent (RESP). */
const encode = (...words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

/**
 * What a Redis server says against us when we introduce ourselves, such as `WRONGPASS …`; null when it lets us in. Rejects when it
 * is not there; whoever asks limits the time.
 */
export async function refusalOf(url: string): Promise<string | null> {
  const { protocol, hostname, port, username, password } = new URL(url);
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  const introduction = secret === "" ? encode("PING") : encode("AUTH", ...(user === "" ? [] : [user]), secret);
  const answered = Promise.withResolvers<string | null>();
  const host = hostname.replace(/^\[|\]$/g, "");
  let said = "";
  const socket = await Bun.connect({
    hostname: host,
    port: Number(port || DEFAULT_PORT),
    ...(protocol === "rediss:" ? { tls: { serverName: host } } : {}),
    socket: {
      open: (socket) => void socket.write(introduction),
      data(_socket, data) {
        said += data.toString();
        const [line = "", rest] = said.split("\r\n", 2);
        if (rest === undefined && said.length < MAX_ANSWER) return;
        answered.resolve(line.startsWith("-") && !NOT_YET.test(line.slice(1)) ? line.slice(1, MAX_ANSWER) : null);
      },
      error: (_socket, error) => answered.reject(error),
      close: () => answered.reject(new Error("closed without an answer")),
    },
  });
  // Whoever asked may have given up meanwhile.
  const limit = setTimeout(() => socket.end(), 2_000);
  return answered.promise.finally(() => {
    clearTimeout(limit);
    socket.end();
  });
}

/** One server-sent event (WHATWG HTML section 9.2). */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** More than any event of Kinora has; a server that sends no end of line must not fill our memory. */
const LONGEST = 65_536;

/** The events of an event stream, until it ends. */
export async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).replace(/\r\n?/g, "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > LONGEST) throw new Error("An event of the server has no end.");
    for (const block of blocks) {
      const fields = block.split("\n").map(fieldOf);
      const data = fields.filter(({ name }) => name === "data").map(({ value }) => value);
      if (data.length === 0) continue;
      yield { event: fields.findLast(({ name }) => name === "event")?.value ?? "message", data: data.join("\n") };
    }
  }
}

function fieldOf(line: string) {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line, value: "" };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, "") };
}

/** A part of a file: a box, an element, a packet, a line. */
export interface Node {
  /** Type or id as its bytes stand in the file. */
  id: Uint8Array;
  /** What stands between the header and the children. */
  lead: Uint8Array;
  /** Null for a leaf, whose bytes are `content`. */
  children: Node[] | null;
  content: Uint8Array;
  /** The size that its header tells, when that is a lie. */
  claim: number | "unknown" | null;
}

/** How files of one kind are taken apart and put together again. */
export interface Format {
  parse(bytes: Uint8Array): Node[];
  write(nodes: readonly Node[]): Uint8Array;
}

const nothing: Uint8Array = new Uint8Array(0);

const leaf = (content: Uint8Array, id = nothing): Node => ({ id, lead: nothing, children: null, content, claim: null });

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Every node, parents before their children. */
export function allNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.children ?? [])]);
}

export function copyNode(node: Node): Node {
  return { ...node, content: node.content.slice(), children: node.children?.map(copyNode) ?? null };
}

/** Where the children of a box may start; the boxes that have any. */
const childrenAt: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries("moov trak edts mdia minf dinf stbl mvex moof traf udta wave".split(" ").map((t) => [t, [0]])),
  ...{ stsd: [8], dref: [8], meta: [4, 0] },
  ...Object.fromEntries("avc1 hvc1 hev1 vp09 av01 mp4v apcn".split(" ").map((type) => [type, [78]])),
  ...Object.fromEntries("mp4a ac-3 ec-3 Opus fLaC alac sowt".split(" ").map((type) => [type, [28, 44, 64]])),
};
const maxDepth = 12;

/** ISO BMFF boxes; bytes that are none stay as a leaf without a type. */
export const boxes: Format = {
  parse: (bytes) => parseBoxes(bytes, 0) ?? [leaf(bytes)],
  write: (nodes) => concat(nodes.map(writeBox)),
};

function parseBoxes(bytes: Uint8Array, depth: number): Node[] | null {
  const nodes: Node[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const size = at + 8 <= bytes.length ? view.getUint32(at) : 0;
    if (size < 8 || at + size > bytes.length) {
      if (depth > 0 && at === 0) return null;
      nodes.push(leaf(bytes.subarray(at)));
      break;
    }
    nodes.push(parseBox(bytes.subarray(at + 4, at + 8), bytes.subarray(at + 8, at + size), depth));
    at += size;
  }
  return nodes;
}

function parseBox(id: Uint8Array, content: Uint8Array, depth: number): Node {
  const places = depth < maxDepth ? (childrenAt[String.fromCharCode(...id)] ?? []) : [];
  for (const at of places) {
    const children = at < content.length ? parseBoxes(content.subarray(at), depth + 1) : null;
    if (children !== null) return { id, lead: content.subarray(0, at), children, content: nothing, claim: null };
  }
  return leaf(content, id);
}

function writeBox(node: Node): Uint8Array {
  const content = node.children === null ? node.content : concat([node.lead, ...node.children.map(writeBox)]);
  if (node.id.length === 0) return content;
  const header = new Uint8Array(8);
  const claim = node.claim === "unknown" ? 0 : node.claim;
  new DataView(header.buffer).setUint32(0, claim ?? content.length + 8);
  header.set(node.id, 4);
  return concat([header, content]);
}

/** Matroska elements that hold others (RFC 9559 section 5). */
const masters = new Set(
  [
    ...[0x1a45dfa3, 0x18538067, 0x114d9b74, 0x4dbb, 0x1549a966, 0x1654ae6b, 0xae, 0xe0, 0xe1, 0x7670, 0x6d80, 0x6240],
    ...[0x5034, 0x5035, 0x1f43b675, 0xa0, 0x1c53bb6b, 0xbb, 0xb7, 0x75a1, 0xa6, 0x1254c367, 0x7373, 0x63c0, 0x67c8],
    ...[0x1043a770, 0x45b9, 0xb6, 0x80],
  ].map((id) => id.toString(16)),
);

/** EBML elements (RFC 8794). Sizes are written with eight bytes, so that a change of one does not move the others. */
export const elements: Format = {
  parse: (bytes) => parseElements(bytes, 0),
  write: (nodes) => concat(nodes.map(writeElement)),
};

const vintBytes = (first: number | undefined) => (first === undefined || first === 0 ? 0 : Math.clz32(first) - 23);

function parseElements(bytes: Uint8Array, depth: number): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const idBytes = vintBytes(bytes[at]);
    const sizeBytes = vintBytes(bytes[at + idBytes]);
    if (idBytes === 0 || idBytes > 4 || sizeBytes === 0 || depth > maxDepth) {
      nodes.push(leaf(bytes.subarray(at)));
      break;
    }
    const id = bytes.subarray(at, at + idBytes);
    const start = at + idBytes + sizeBytes;
    const size = vintAt(bytes.subarray(at + idBytes, start));
    const content = bytes.subarray(start, size === "unknown" ? bytes.length : start + size);
    const claim = size === "unknown" || start + size > bytes.length ? size : null;
    if (!masters.has(Buffer.from(id).toString("hex"))) nodes.push({ ...leaf(content, id), claim });
    else nodes.push({ id, lead: nothing, children: parseElements(content, depth + 1), content: nothing, claim });
    at = start + content.length;
  }
  return nodes;
}

function vintAt(bytes: Uint8Array): number | "unknown" {
  const mask = 0xff >> bytes.length;
  const digits = [(bytes[0] ?? 0) & mask, ...bytes.subarray(1)];
  if (digits[0] === mask && digits.slice(1).every((digit) => digit === 0xff)) return "unknown";
  return digits.reduce((value, digit) => value * 256 + digit, 0);
}

function writeElement(node: Node): Uint8Array {
  const content = node.children === null ? node.content : concat(node.children.map(writeElement));
  if (node.id.length === 0) return content;
  const size = new Uint8Array(8);
  const value = BigInt(Math.floor(node.claim === null || node.claim === "unknown" ? content.length : node.claim));
  new DataView(size.buffer).setBigUint64(0, value & 0xff_ffff_ffff_ffffn);
  if (node.claim === "unknown") size.fill(0xff);
  size[0] = 1;
  return concat([node.id, size, content]);
}

const packetBytes = 188;

/** Packets of a transport stream. */
export const packets: Format = {
  parse: (bytes) =>
    Array.from({ length: Math.ceil(bytes.length / packetBytes) }, (_, i) =>
      leaf(bytes.subarray(i * packetBytes, (i + 1) * packetBytes)),
    ),
  write: (nodes) => concat(nodes.map(({ content }) => content)),
};

/** Lines of a text. */
export const lines: Format = {
  parse(bytes) {
    const nodes: Node[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at) + 1 || bytes.length;
      nodes.push(leaf(bytes.subarray(at, end)));
      at = end;
    }
    return nodes;
  },
  write: (nodes) => concat(nodes.map(({ content }) => content)),
};

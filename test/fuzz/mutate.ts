import type { Random } from "./random.ts";
import { allNodes, concat, copyNode, type Format, type Node } from "./structure.ts";

/** Whole numbers at which readers go wrong. */
const extremes = [
  ...[0, 1, 2, 3, 7, 8, 15, 16, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0xff_ffff, 0x100_0000],
  ...[0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 2 ** 32, 2 ** 48, 2 ** 53 - 1, 2 ** 53, 2 ** 63],
] as const;
const widths = [1, 2, 4, 4, 4, 8] as const;
/** Larger inputs cost time and find nothing more. */
const maxBytes = 2 ** 20;
const fieldsAtFront = 64;
/** Now and then so many copies of one part that work which grows with their square shows. */
const floodChance = 0.05;
const maxFloodBytes = 2 ** 19;
const maxCopies = 50_000;

/** Words of the text formats, and what breaks them. */
const words = [
  ...[" --> ", "-->", "00:00:00.000", "99:59:59,999", "-1", "4294967296", "9".repeat(30), "WEBVTT", "NOTE", "STYLE"],
  ...["REGION", "<v a>", "</b>", "<b>", "<00:00:01.000>", "{\\an8}", "&amp;", "&#0;", "\0", "\r", "\r\n", "\n\n"],
  ...["line:-1", "position:101%", "size:NaN%", "\ufeff", "\ufffe", "\u2028", "<", ">", "&", ":", ",", "."],
] as const;

/** A changed copy of `input`; `other` is a file of the same kind to take parts from. */
export function mutate(input: Uint8Array, other: Uint8Array, format: Format, random: Random): Uint8Array {
  let bytes = input;
  const changes = 1 + (random.chance(0.5) ? 0 : random.below(5));
  if (random.chance(0.85)) bytes = changeParts(bytes, other, format, random, changes);
  else for (let i = 0; i < changes; i++) bytes = random.pick(wholeChanges)(bytes, other, random);
  return bytes.subarray(0, maxBytes);
}

function changeParts(input: Uint8Array, other: Uint8Array, format: Format, random: Random, changes: number) {
  const nodes = format.parse(input);
  for (let i = 0; i < changes; i++) {
    const all = allNodes(nodes);
    const node = random.pick(all);
    if (node === undefined) break;
    const siblings = all.find(({ children }) => children?.includes(node))?.children ?? nodes;
    const isLeaf = node.children === null && node.content.length > 0;
    if (isLeaf && random.chance(0.65)) node.content = random.pick(leafChanges)(node.content.slice(), random);
    else random.pick(treeChanges)({ node, siblings, all, random, other: () => format.parse(other) });
  }
  return format.write(nodes);
}

interface Place {
  readonly node: Node;
  readonly siblings: Node[];
  readonly all: readonly Node[];
  readonly random: Random;
  readonly other: () => Node[];
}

/** About as many bytes as it is written with. */
const sizeOf = ({ content, children }: Node): number =>
  (children ?? []).reduce((sum, child) => sum + sizeOf(child), content.length + 8);

const sameId = (a: Node, b: Node) => Buffer.compare(a.id, b.id) === 0;

const treeChanges: readonly [(place: Place) => void, ...((place: Place) => void)[]] = [
  function remove({ node, siblings }) {
    siblings.splice(siblings.indexOf(node), 1);
  },
  function repeat({ node, siblings, random }) {
    const copies = random.chance(0.9) ? 1 : random.below(64);
    for (let i = 0; i < copies; i++) siblings.splice(random.below(siblings.length + 1), 0, copyNode(node));
  },
  function flood({ node, siblings, random }) {
    if (!random.chance(floodChance)) return;
    const copies = random.below(Math.min(maxCopies, maxFloodBytes / sizeOf(node)));
    const at = random.below(siblings.length + 1);
    siblings.splice(at, 0, ...new Array<Node>(copies).fill(node));
  },
  function swap({ node, siblings, random }) {
    const [from, to] = [siblings.indexOf(node), random.below(siblings.length)];
    [siblings[from], siblings[to]] = [siblings[to] ?? node, node];
  },
  function nest({ node, all, random }) {
    const parent = random.pick(all.filter(({ children }) => children !== null));
    parent?.children?.splice(random.below(parent.children.length + 1), 0, copyNode(node));
  },
  function replace({ node, siblings, random, other }) {
    const candidates = allNodes(other());
    const chosen = random.pick(candidates.filter((one) => sameId(one, node))) ?? random.pick(candidates);
    if (chosen !== undefined) siblings[siblings.indexOf(node)] = copyNode(chosen);
  },
  function claim({ node, random }) {
    const size = node.content.length + 8;
    node.claim = random.chance(0.5) ? Math.max(0, size + random.below(17) - 8) : random.pick(extremes);
    if (random.chance(0.2)) node.claim = "unknown";
  },
  function rename({ node, all, random }) {
    node.id = random.pick(all)?.id ?? node.id;
  },
  function shorten({ node, random }) {
    node.content = node.content.slice(0, random.below(node.content.length + 1));
  },
  function lengthen({ node, random }) {
    const more = new Uint8Array(1 + random.below(random.chance(0.9) ? 32 : 4096));
    if (random.chance(0.5)) more.fill(random.below(256));
    node.content = concat([node.content, more]);
  },
];

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Mostly near the front, where versions, flags and counts are. */
function place(bytes: Uint8Array, random: Random): number {
  const front = Math.min(bytes.length, fieldsAtFront);
  return random.chance(0.7) ? random.below(front) : random.below(bytes.length);
}

function writeNumber(bytes: Uint8Array, at: number, width: number, value: number): Uint8Array {
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    if (i < bytes.length) bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

const leafChanges: readonly [Change, ...Change[]] = [
  function extreme(bytes, random) {
    const width = random.pick(widths);
    const at = place(bytes, random);
    return writeNumber(bytes, random.chance(0.7) ? at - (at % Math.min(width, 4)) : at, width, random.pick(extremes));
  },
  function step(bytes, random) {
    const at = place(bytes, random);
    bytes[at] = (bytes[at] ?? 0) + random.pick([1, -1, 2, -2, 16, -16] as const);
    return bytes;
  },
  function flip(bytes, random) {
    const at = place(bytes, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  function noise(bytes, random) {
    const at = place(bytes, random);
    const end = Math.min(bytes.length, at + 1 + random.below(8));
    for (let i = at; i < end; i++) bytes[i] = random.below(256);
    return bytes;
  },
  function version(bytes, random) {
    return writeNumber(bytes, 0, 1, random.pick([0, 1, 2, 255] as const));
  },
  function copy(bytes, random) {
    const from = random.below(bytes.length);
    return bytes.copyWithin(random.below(bytes.length), from, from + 1 + random.below(32));
  },
  function word(bytes, random) {
    const at = random.below(bytes.length + 1);
    const text = new TextEncoder().encode(random.pick(words));
    const replaced = random.chance(0.5) ? 0 : random.below(12);
    return concat([bytes.subarray(0, at), text, bytes.subarray(at + replaced)]);
  },
];

type WholeChange = (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array;

const wholeChanges: readonly [WholeChange, ...WholeChange[]] = [
  (bytes, _other, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, _other, random) => bytes.slice(random.below(Math.min(64, bytes.length + 1))),
  (bytes, other, random) =>
    concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]),
  (bytes, _other, random) => random.pick(leafChanges)(bytes.slice(), random),
  (bytes, _other, random) => {
    const changed = bytes.slice();
    for (let i = random.below(16); i >= 0; i--) {
      const at = random.below(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    }
    return changed;
  },
];

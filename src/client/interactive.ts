import type { Title } from "../catalog/contract.ts";
import { title as titleAnswer } from "../catalog/contract.ts";
import type { StreamSummary } from "../streaming/contract.ts";
import { links } from "./actions/links.ts";
import { playWith } from "./actions/play.ts";
import { changePassword, enter, logout } from "./actions/sign-in.ts";
import { search } from "./actions/titles.ts";
import { addUser } from "./actions/users.ts";
import { streamList } from "./answers.ts";
import type { Api } from "./api.ts";
import type { ClientContext } from "./context.ts";
import { asClientError, ClientError, EXIT } from "./errors.ts";
import { findPlayer } from "./play/players.ts";
import { type Choice, prompts } from "./prompts.ts";
import { serverOrigin } from "./server-address.ts";
import { untilSignal } from "./signals.ts";
import { printable } from "./terminal/printable.ts";
import { titleLine, titlePairs } from "./title-text.ts";

const PAGE = 50;

/** A step of the conversation; `done` leaves the menu it belongs to. */
type Step = () => Promise<"done" | undefined>;
/** The same whose result says nothing. */
const then =
  (action: () => Promise<void>): Step =>
  async () => {
    await action();
    return undefined;
  };
const leave: Step = async () => "done";

/** `kinora` alone at a terminal: connect, sign in, search, pick, play, stop, rename, tag. */
export async function interact(context: ClientContext): Promise<void> {
  const api = await arrive(context);
  const user = await api.whoAmI();
  context.out.note(`You are ${printable(user.username)} (${user.role}) at ${api.origin}.`);
  await menu(
    "What now?",
    () => [
      { name: "Search and play", value: () => findAndPick(context, api) },
      { name: "Streams that play", value: () => pickStream(context, api) },
      { name: "Change my password", value: then(() => changePassword(context, {})) },
      ...(user.role === "admin" ? [{ name: "Add a user", value: then(() => newUser(context)) }] : []),
      {
        name: "Sign out",
        value: async () => {
          await logout(context, {});
          return "done" as const;
        },
      },
      { name: "Quit", value: leave },
    ],
    context,
  );
}

/** The server signed in to; when it is none, or the sign-in has ended, asks for it. */
async function arrive(context: ClientContext): Promise<Api> {
  const { origin } = context;
  try {
    const api = await context.connect();
    await api.bearer();
    return api;
  } catch (error) {
    const problem = asClientError(error);
    if (problem.exit !== EXIT.notSignedIn && problem.exit !== EXIT.unreachable) throw problem;
    if (problem.exit === EXIT.unreachable) context.out.problem(problem);
  }
  const chosen = serverOrigin(await prompts.text("Server", { default: origin }));
  await enter(context, chosen, await prompts.text("Name", { required: true }), {});
  return context.connect(chosen);
}

/** Asks again and again until a step leaves. What fails is told, and the menu goes on. */
async function menu(message: string, choices: () => Choice<Step>[], context: ClientContext): Promise<void> {
  for (;;) {
    const step = await prompts.choose(message, choices());
    try {
      if ((await step()) === "done") return;
    } catch (error) {
      const problem = asClientError(error);
      // Ctrl+C in a question leaves the program; a lost sign-in has no way on here.
      if (problem.exit === EXIT.interrupted || problem.exit === EXIT.notSignedIn) throw problem;
      context.out.problem(problem);
    }
  }
}

async function findAndPick(context: ClientContext, api: Api): Promise<undefined> {
  const words = await prompts.text("Search (nothing: the newest)");
  const { items, nextCursor } = await search(api, words === "" ? [] : [words], { limit: PAGE });
  if (items.length === 0) {
    context.out.note("Nothing was found.");
    return;
  }
  if (nextCursor !== null) context.out.note(`These are the first ${PAGE}.`);
  const back = { name: "Back", value: null };
  const picked = await prompts.choose<Title | null>("Which one?", [
    ...items.map((value) => ({ name: titleLine(value), value })),
    back,
  ]);
  if (picked) await titleMenu(context, api, picked);
}

async function titleMenu(context: ClientContext, api: Api, picked: Title): Promise<void> {
  let title = picked;
  const path = () => `/api/titles/${title.id}`;
  await menu(
    "What with it?",
    () => [
      { name: `Play ${title.name}`, value: then(() => playHere(context, api, title)) },
      { name: "Show", value: then(async () => context.out.pairs(titlePairs(title))) },
      {
        name: "Rename",
        value: then(async () => {
          const name = await prompts.text("Name", { default: title.name, required: true });
          title = await api.call("PATCH", path(), titleAnswer, { body: { name } });
        }),
      },
      {
        name: "Tag",
        value: then(async () => {
          const tags = words(await prompts.text("Tags, with commas between them", { required: true }));
          title = await api.call("POST", `${path()}/tags`, titleAnswer, { body: { tags } });
          context.out.note(`Tags: ${title.tags.map(printable).join(", ")}`);
        }),
      },
      ...title.tags.map((tag) => ({
        name: `Remove the tag ${tag}`,
        value: then(async () => {
          title = await api.call("DELETE", `${path()}/tags`, titleAnswer, { query: { tag } });
        }),
      })),
      { name: "Make a link", value: then(() => links(context, title.id, {})) },
      {
        name: "Delete",
        value: async () => {
          if (!(await prompts.confirm(`Delete ${title.name}?`))) return undefined;
          await api.tell("DELETE", path());
          context.out.note(`Deleted. For 60 s this brings it back: kinora restore ${title.id}`);
          return "done" as const;
        },
      },
      { name: "Back", value: leave },
    ],
    context,
  );
}

const words = (text: string) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** Ctrl+C stops the player and comes back to the menu. */
async function playHere(context: ClientContext, api: Api, title: Title): Promise<void> {
  const player = findPlayer(undefined, context.path);
  const signals = untilSignal();
  try {
    const { stopped } = await playWith(context, api, { title, protocol: "hls", player, signal: signals.signal });
    context.out.note(stopped === null ? "Stopped." : `The server ended the stream (${stopped}).`);
    if (signals.exit === EXIT.terminated) throw new ClientError("interrupted", "Stopped.", { exit: signals.exit });
  } finally {
    signals.release();
  }
}

async function pickStream(context: ClientContext, api: Api): Promise<undefined> {
  const { items } = await api.call("GET", "/api/streams", streamList);
  if (items.length === 0) {
    context.out.note("Nothing plays.");
    return;
  }
  const picked = await prompts.choose<StreamSummary | null>("Stop one?", [
    ...items.map((value) => ({
      name: `${value.title.name} (${value.user.username}, ${value.protocol}, ${value.state})`,
      value,
    })),
    { name: "Back", value: null },
  ]);
  if (!picked) return;
  await api.tell("DELETE", `/api/streams/${picked.id}`);
  context.out.note("Stopped.");
}

async function newUser(context: ClientContext): Promise<void> {
  await addUser(context, await prompts.text("Name of the new user", { required: true }), {});
}

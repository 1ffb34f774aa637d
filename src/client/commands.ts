import { type Command, InvalidArgumentError, Option } from "commander";
import type { EditOptions } from "./actions/titles.ts";
import type { ClientContext, ClientOptions } from "./context.ts";

// Only declarations: what a command does is loaded when it is used, so that `kinora serve` starts as fast as without.

const roles = ["admin", "editor", "viewer"];
const visibilities = ["private", "members", "public"];

type Action = (context: ClientContext) => Promise<void>;

const collect = (value: string, before: string[] = []) => [...before, value];

async function perform(options: ClientOptions, action: Action): Promise<void> {
  const { perform } = await import("./perform.ts");
  await perform(options, action);
}

/** A command of the client: knows `--server` and `--json`. */
function client(command: Command): Command {
  return command
    .option("--server <url>", "the server; else the one signed in to last")
    .option("--json", "print one JSON document; problems as JSON on stderr");
}

function seconds(text: string): number {
  const match = /^(\d{1,9})(s|m|h|d)$/.exec(text.trim());
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
  const unit = units[match?.[2] ?? ""];
  if (!match || unit === undefined)
    throw new InvalidArgumentError("Expected a time span with a unit, such as 90m, 2h or 7d.");
  return Number(match[1]) * unit;
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

/** Adds the client's commands. */
export function addClientCommands(program: Command): void {
  addSignIn(program);
  addSearch(program);
  addPlay(program);
  addUpload(program);
  addEdit(program);
  addShare(program);
  addOperations(program);
  addUsers(program);
  addCompletion(program);
}

function addSignIn(program: Command): void {
  client(program.command("login"))
    .description("Signs in to a server and keeps the sign-in. Asks for what is not given.")
    .argument("[name]", "user name")
    .option("--password-stdin", "take the password from standard input")
    .option("--create", "make the account when the name is new and registration is open")
    .option("--invite <code>", "the code of an invitation")
    .option("--two-factor-code <code>", "of the second factor: a code of the app, or a backup code")
    .option("--setup-code <code>", "the code that the server printed at its start, for the first account")
    .action((name: string | undefined, options) =>
      perform(options, async (context) => (await import("./actions/sign-in.ts")).login(context, name, options)),
    );
  client(program.command("logout"))
    .description("Signs out, on the server too.")
    .option("--local", "only forget the sign-in here")
    .action((options) =>
      perform(options, async (context) => (await import("./actions/sign-in.ts")).logout(context, options)),
    );
  client(program.command("passwd"))
    .description("Changes your password. Your other sessions, tokens and API keys end.")
    .option("--password-stdin", "take the present and the new password from standard input, a line each")
    .action((options) =>
      perform(options, async (context) => (await import("./actions/sign-in.ts")).changePassword(context, options)),
    );
}

const TITLE = "a title's id, its name, or a part of it that no other name has";

function addSearch(program: Command): void {
  client(program.command("search"))
    .description("Finds videos by words of their name, tags and description; without words lists the newest.")
    .argument("[words...]", "what to look for; words may be their beginnings")
    .option("--name <text>", "the name has this in it")
    .option("--exact", "--name is the whole name")
    .option("--tag <tag>", "it has this tag; may be repeated", collect)
    .option("--any", "one of the tags is enough")
    .option("--mine", "only your own")
    .addOption(new Option("--sort <order>", "order").choices(["newest", "oldest", "name"]))
    .option("--limit <number>", "at most so many, 200 at the most", count)
    .option("--cursor <cursor>", "go on from nextCursor of the page before")
    .option("--all", "everything, not only the first page")
    .action((words: string[], options) =>
      perform(options, async (context) => (await import("./actions/titles.ts")).searchTitles(context, words, options)),
    );
  client(program.command("show"))
    .description("Shows all there is to know of a video: codecs, size, SHA-256, availability.")
    .argument("<title>", TITLE)
    .action((title: string, options) =>
      perform(options, async (context) => (await import("./actions/titles.ts")).showTitle(context, title)),
    );
}

function addPlay(program: Command): void {
  client(program.command("play"))
    .description("Plays a video in mpv, VLC or ffplay, whichever is found; the stream ends when the player closes.")
    .argument("<title>", TITLE)
    .addOption(new Option("--protocol <name>", "how it comes (hls when not given)").choices(["hls", "rtsp", "rtp"]))
    .option("--rtp", "the same as --protocol rtp: the server sends packets to this machine")
    .option("--player <program>", "mpv, vlc, ffplay, or another program that takes an address")
    .option("--url-only", "start no player: print the address, and keep it playable until Ctrl+C")
    .action((title: string, options) =>
      perform(options, async (context) => (await import("./actions/play.ts")).play(context, title, options)),
    );
  client(program.command("streams"))
    .description("Lists your streams that play; all of them for admins.")
    .action((options) =>
      perform(options, async (context) => (await import("./actions/streams.ts")).listStreams(context)),
    );
  client(program.command("stop"))
    .description("Stops a stream.")
    .argument("<id>", "the stream's id, as kinora streams shows it")
    .action((id: string, options) =>
      perform(options, async (context) => (await import("./actions/streams.ts")).stopStream(context, id)),
    );
}

function addUpload(program: Command): void {
  client(program.command("upload"))
    .description("Uploads videos. One that was interrupted goes on where it stopped when the command is given again.")
    .argument("<files...>", "files")
    .option("--name <name>", "the title's name, with one file; else it comes from the file's")
    .option("--tag <tag>", "a tag; may be repeated", collect)
    .addOption(new Option("--visibility <who>", "who may see them (private when not given)").choices(visibilities))
    .action((files: string[], options) =>
      perform(options, async (context) => (await import("./actions/upload.ts")).uploadFiles(context, files, options)),
    );
}

function addEdit(program: Command): void {
  client(program.command("rename"))
    .description("Gives a video another name.")
    .argument("<title>", TITLE)
    .argument("<name>", "the new name")
    .action((title: string, name: string, options) =>
      perform(options, async (context) => (await import("./actions/titles.ts")).editTitle(context, title, { name })),
    );
  client(program.command("edit"))
    .description("Changes a video's name, its description, and who may see it.")
    .argument("<title>", TITLE)
    .option("--name <name>", "the new name")
    .addOption(new Option("--visibility <who>", "who may see it").choices(visibilities))
    .option("--description <text>", "what it is about")
    .action((title: string, options: ClientOptions & EditOptions) =>
      perform(options, async (context) => {
        const { name, visibility, description } = options;
        const change = {
          ...(name === undefined ? {} : { name }),
          ...(visibility ? { visibility } : {}),
          ...(description === undefined ? {} : { description }),
        };
        return (await import("./actions/titles.ts")).editTitle(context, title, change);
      }),
    );
  for (const add of [true, false]) {
    client(program.command(add ? "tag" : "untag"))
      .description(add ? "Adds tags to a video." : "Removes tags from a video.")
      .argument("<title>", TITLE)
      .argument("<tags...>", "tags")
      .action((title: string, tags: string[], options) =>
        perform(options, async (context) => (await import("./actions/titles.ts")).tagTitle(context, title, tags, add)),
      );
  }
  client(program.command("delete"))
    .description("Deletes a video. Asks first; for 60 s it can be restored.")
    .argument("<title>", TITLE)
    .option("-y, --yes", "do not ask")
    .action((title: string, options) =>
      perform(options, async (context) => (await import("./actions/titles.ts")).deleteTitle(context, title, options)),
    );
  client(program.command("restore"))
    .description("Brings a video back that was deleted in the last 60 s.")
    .argument("<id>", "the title's id")
    .action((id: string, options) =>
      perform(options, async (context) => (await import("./actions/titles.ts")).restoreTitle(context, id)),
    );
}

function addShare(program: Command): void {
  client(program.command("link"))
    .description("Makes a link that plays one video for whoever has it; lists and revokes your links.")
    .argument("[title]", TITLE)
    .option("--expires <span>", "how long it plays, such as 2h", seconds)
    .option("--list", "list your links")
    .option("--revoke <id>", "revoke a link: it plays no more")
    .action((title: string | undefined, options) =>
      perform(options, async (context) => (await import("./actions/links.ts")).links(context, title, options)),
    );
}

function addOperations(program: Command): void {
  client(program.command("services"))
    .description("Lists the instances of Kinora's services that run.")
    .action((options) =>
      perform(options, async (context) => (await import("./actions/operations.ts")).listServices(context)),
    );
  client(program.command("rescan"))
    .description("Scans the library folders again, and tells what was refused (admin).")
    .option("--wait", "until the scan has ended")
    .action((options) =>
      perform(options, async (context) => (await import("./actions/operations.ts")).rescan(context, options)),
    );
}

function addUsers(program: Command): void {
  const users = program.command("users").description("Lists and changes users (admin).");
  const actions = () => import("./actions/users.ts");
  client(users.command("list"))
    .description("Lists all users.")
    .action((options) => perform(options, async (context) => (await actions()).listUsers(context)));
  client(users.command("add"))
    .description("Creates a user. Asks for the password.")
    .argument("<name>", "user name")
    .addOption(new Option("--role <role>", "role").choices(roles))
    .option("--password-stdin", "take the password from standard input")
    .action((name: string, options) =>
      perform(options, async (context) => (await actions()).addUser(context, name, options)),
    );
  users.command("role").description("Changes a user's role.").argument("<name>", "user name or id");
  const role = users.commands.at(-1);
  if (role) {
    client(role)
      .addArgument(role.createArgument("<role>", "role").choices(roles))
      .action((name: string, role: "admin" | "editor" | "viewer", options) =>
        perform(options, async (context) => (await actions()).changeUser(context, name, { role })),
      );
  }
  for (const disabled of [true, false]) {
    client(users.command(disabled ? "disable" : "enable"))
      .description(disabled ? "Shuts a user out; everything of theirs ends at once." : "Lets a disabled user in again.")
      .argument("<name>", "user name or id")
      .action((name: string, options) =>
        perform(options, async (context) => (await actions()).changeUser(context, name, { disabled })),
      );
  }
  client(users.command("reset-password"))
    .description("Gives a user a new password; their sessions and API keys end.")
    .argument("<name>", "user name or id")
    .option("--password-stdin", "take the password from standard input")
    .action((name: string, options) =>
      perform(options, async (context) => (await actions()).resetPassword(context, name, options)),
    );
  client(users.command("delete"))
    .description("Deletes a user, with their videos unless somebody else gets them. Asks first.")
    .argument("<name>", "user name or id")
    .option("--videos-to <name>", "who gets their videos and collections")
    .option("-y, --yes", "do not ask")
    .action((name: string, options) =>
      perform(options, async (context) => (await actions()).deleteUser(context, name, options)),
    );
  client(users.command("invite"))
    .description("Makes the code of an invitation, which lets one person register.")
    .addOption(new Option("--role <role>", "role of whoever comes").choices(roles))
    .option("--expires <span>", "how long it counts, such as 2d (a week when not given)", seconds)
    .action((options) => perform(options, async (context) => (await actions()).inviteUser(context, options)));
}

function addCompletion(program: Command): void {
  const command = client(program.command("completion"));
  command
    .description("Prints the completion script of a shell.")
    .addArgument(command.createArgument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", "\nFor this session: source <(kinora completion bash)")
    .action((shell: "bash" | "zsh" | "fish", options) =>
      perform(options, async ({ out }) => {
        const { completionScript } = await import("./completion.ts");
        const script = completionScript(program, shell);
        out.result({ shell, script }, () => out.line(script.trimEnd()));
      }),
    );
}

/** `kinora` alone: the conversation at a terminal, help elsewhere; and what to do about words that are no command. */
export function addInteractive(program: Command): void {
  client(program.command("interactive", { isDefault: true, hidden: true }))
    .argument("[words...]")
    .allowUnknownOption()
    .action((words: string[], options: ClientOptions) =>
      perform(options, async (context) => {
        if (words[0] !== undefined) return (await import("./unknown-command.ts")).refuseWords(program, words);
        if (context.isInteractive && process.stdout.isTTY) return (await import("./interactive.ts")).interact(context);
        const { usageError } = await import("./errors.ts");
        if (!context.out.json) program.outputHelp({ error: true });
        throw usageError("Without a terminal a command must be named.", "kinora serve starts the server.");
      }),
    );
}

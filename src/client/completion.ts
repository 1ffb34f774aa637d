import type { Command, Option } from "commander";
import { usageError } from "./errors.ts";

const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** What a shell can complete after a command. */
interface Completed {
  /** The command's words after `kinora`, joined by blanks; empty for `kinora` itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly CompletedOption[];
  /** Its arguments are files or folders. */
  readonly takesFiles: boolean;
  /** What its last or only argument may be, when it is one of few words. */
  readonly words: readonly string[];
}

interface CompletedOption {
  readonly flags: readonly string[];
  readonly about: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** The completion script of a shell for a program's commands, made from their declarations. */
export function completionScript(program: Command, shell: Shell): string {
  const all = commandsOf(program, []);
  for (const { path } of all) requireWord(path);
  return scripts[shell](all);
}

function commandsOf(command: Command, words: readonly string[]): Completed[] {
  const helper = command.createHelp();
  const children = helper.visibleCommands(command);
  const own: Completed = {
    path: words.join(" "),
    commands: children.map((child) => ({ name: child.name(), about: about(child.summary() || child.description()) })),
    options: helper.visibleOptions(command).map(optionOf),
    takesFiles: command.registeredArguments.some((argument) => /file|folder/.test(argument.name())),
    words: command.registeredArguments.at(-1)?.argChoices ?? [],
  };
  // `help` completes the names of commands, which is what it takes.
  const nested = children.filter((child) => child.name() !== "help");
  return [own, ...nested.flatMap((child) => commandsOf(child, [...words, child.name()]))];
}

function optionOf(option: Option): CompletedOption {
  const flags = [option.short, option.long].filter((flag): flag is string => flag !== undefined && flag !== null);
  const takesValue = option.required || option.optional;
  return { flags, about: about(option.description), takesValue, values: option.argChoices ?? [] };
}

const about = (text: string) =>
  text
    .split(/[.;\n]/)[0]
    ?.replaceAll("'", "’")
    .replace(/['"\\`$:[\]]/g, "") ?? "";

/** Names go into scripts as they are. */
function requireWord(path: string): void {
  if (!/^[a-z -]*$/.test(path)) throw usageError(`${path} cannot be completed.`);
}

const quoted = (words: readonly string[]) => `'${words.join(" ")}'`;
const flagsOf = ({ options }: Completed) => options.flatMap(({ flags }) => flags);
const wordsOf = (completed: Completed) => [...completed.commands.map(({ name }) => name), ...completed.words];
const pattern = (path: string, flag: string) => `'${path} ${flag}'`;

/** Cases of `"$path $previous"`: what an option that takes a value may have. */
function valueCases(
  all: readonly Completed[],
  files: string,
  choices: (values: readonly string[]) => string,
): string[] {
  const cases: string[] = [];
  for (const { path, options } of all) {
    for (const { flags, takesValue, values } of options) {
      if (!takesValue) continue;
      const then = values.length > 0 ? choices(values) : files;
      cases.push(`    ${flags.map((flag) => pattern(path, flag)).join("|")}) ${then}; return ;;`);
    }
  }
  return cases;
}

/** Walks the words before the one being completed down the tree of commands, in a POSIX shell's words. */
const descend = (all: readonly Completed[]) =>
  all
    .filter(({ path }) => path !== "")
    .map(({ path }) => `      '${path.includes(" ") ? path : ` ${path}`}') path='${path}' ;;`)
    .join("\n");

const commandCase = (completed: Completed, then: string) => `    '${completed.path}') ${then} ;;`;

const scripts: Readonly<Record<Shell, (all: readonly Completed[]) => string>> = {
  bash: (all) => `# bash completion of kinora: source <(kinora completion bash)
_kinora() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path $word" in
${descend(all)}
    esac
  done
  case "$path $previous" in
${valueCases(all, "compopt -o default", (values) => `COMPREPLY=($(compgen -W ${quoted(values)} -- "$current"))`).join("\n")}
  esac
  local words='' flags='' files=''
  case "$path" in
${all.map((one) => commandCase(one, `words=${quoted(wordsOf(one))}; flags=${quoted(flagsOf(one))}${one.takesFiles ? "; files=1" : ""}`)).join("\n")}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -n $files ]]; then compopt -o default; fi
  fi
}
complete -F _kinora kinora
`,
  zsh: (all) => `#compdef kinora
# zsh completion of kinora: source <(kinora completion zsh)
_kinora() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" place='' word i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    case "$place $word" in
${descend(all).replaceAll("path=", "place=")}
    esac
  done
  case "$place $previous" in
${valueCases(all, "_files", (values) => `compadd -- ${values.join(" ")}`).join("\n")}
  esac
  local -a commands flags
  local files=''
  case "$place" in
${all.map((one) => commandCase(one, `commands=(${zshDescribed(one)}); flags=(${zshFlags(one)})${one.takesFiles ? "; files=1" : ""}`)).join("\n")}
  esac
  if [[ $current == -* ]]; then
    _describe -o option flags
  else
    (( \${#commands} )) && _describe command commands
    [[ -n $files ]] && _files
  fi
}
if [[ $funcstack[1] == _kinora ]]; then _kinora "$@"; else compdef _kinora kinora; fi
`,
  fish: (all) => `# fish completion of kinora: kinora completion fish | source
function __kinora_path
  set -l place ''
  for word in (commandline -opc)[2..-1]
    switch "$place $word"
${all
  .filter(({ path }) => path !== "")
  .map(({ path }) => `      case '${path.includes(" ") ? path : ` ${path}`}'\n        set place '${path}'`)
  .join("\n")}
    end
  end
  echo $place
end
function __kinora_at
  test (__kinora_path) = "$argv[1]"
end
complete -c kinora -f
${all.flatMap(fishLines).join("\n")}
`,
};

const zshDescribed = (one: Completed) =>
  [...one.commands.map(({ name, about }) => `'${name}:${about}'`), ...one.words.map((word) => `'${word}'`)].join(" ");
const zshFlags = ({ options }: Completed) =>
  options.flatMap(({ flags, about }) => flags.map((flag) => `'${flag}:${about}'`)).join(" ");

function fishLines(one: Completed): string[] {
  const at = `complete -c kinora -n '__kinora_at "${one.path}"'`;
  return [
    ...(one.takesFiles ? [`${at} -F`] : []),
    ...one.commands.map(({ name, about }) => `${at} -a ${name} -d '${about}'`),
    ...one.words.map((word) => `${at} -a ${word}`),
    ...one.options.map(({ flags, about, takesValue, values }) => {
      const names = flags
        .map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
        .join(" ");
      const value = takesValue ? (values.length > 0 ? ` -x -a '${values.join(" ")}'` : " -r -F") : "";
      return `${at} ${names}${value} -d '${about}'`;
    }),
  ];
}

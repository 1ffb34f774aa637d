declare module "dockerfilelint" {
  interface Finding {
    readonly title: string;
    readonly line: number;
    readonly rule: string;
  }
  /** What is wrong with a Dockerfile's text. */
  export function run(folder: string, text: string): Finding[];
}

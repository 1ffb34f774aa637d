import { join } from "node:path";
import type { Complaints, Protocol } from "./player.ts";

interface Entry {
  readonly player: string;
  readonly protocol: Protocol;
  readonly fixture: string;
  readonly complaints: Complaints;
}

const results = join(import.meta.dir, "..", "..", "..", "bench", "results");

/** What players made of which fixtures, kept for `bench/results/`. */
export class PlayerRecord {
  readonly #entries: Entry[] = [];

  /** Notes the complaints and gives them back. */
  note(player: string, protocol: Protocol, fixture: string, complaints: Complaints): Complaints {
    this.#entries.push({ player, protocol, fixture, complaints });
    return complaints;
  }

  /** Writes `bench/results/DATE-players-NAME.md`. */
  async save(name: string): Promise<void> {
    if (this.#entries.length === 0) return;
    const date = new Date().toISOString().slice(0, 10);
    await Bun.write(join(results, `${date}-players-${name}.md`), this.#page(date));
  }

  #page(date: string): string {
    const players = [...new Set(this.#entries.map(({ player }) => player))];
    const cell = (player: string, protocol: Protocol) => {
      const played = this.#entries.filter((entry) => entry.player === player && entry.protocol === protocol);
      const passed = played.filter(({ complaints }) => complaints.length === 0);
      return played.length === 0 ? "" : `${passed.length} of ${played.length}`;
    };
    const failed = this.#entries.filter(({ complaints }) => complaints.length > 0);
    return [
      `# Players, ${date}\n`,
      "Fixtures played to the end and after random seeks without a complaint.\n",
      "| Player | HLS | DASH |",
      "| --- | --- | --- |",
      ...players.map((player) => `| ${player} | ${cell(player, "hls")} | ${cell(player, "dash")} |`),
      ...failed.map(
        ({ player, protocol, fixture, complaints }) =>
          `\n* ${player}, ${protocol}, ${fixture}: ${complaints.join("; ")}`,
      ),
      "",
    ].join("\n");
  }
}

import { SqlTitleRepository } from "../src/adapters/sql/sql-title-repository.ts";
import { titleQuery } from "../src/catalog/contract.ts";
import { searchOf, titleIndexOf } from "../src/catalog/title-index.ts";
import { type KeptTitles, mariaDbWithTitles, sqliteWithTitles } from "./support/kept-titles.ts";
import { type Figure, figure } from "./support/report.ts";
import { at } from "./support/search-tables.ts";

const TITLES = Number(process.env.KINORA_BENCH_TITLES ?? 100_000);
const databases = { SQLite: sqliteWithTitles, MariaDB: mariaDbWithTitles };
/** Between two searches while titles are indexed. */
const PAUSE_MS = 50;

/** What the first start after an upgrade costs that has all titles indexed anew: the kept ones are, and are then as they were. */
export async function benchReindex(): Promise<Figure[]> {
  const figures: Figure[] = [];
  const only = process.env.KINORA_BENCH_DATABASE;
  for (const [name, open] of Object.entries(databases)) {
    if (only === undefined || only === name) figures.push(...(await reindexed(name, await open(TITLES))));
  }
  return figures;
}

async function reindexed(name: string, { database, close }: KeptTitles): Promise<Figure[]> {
  try {
    const repository = new SqlTitleRepository({ database, indexOf: titleIndexOf });
    await database.deleteFrom("catalog_stale").execute();
    await database.insertInto("catalog_stale").values({ what: "titles" }).execute();
    const cpu = process.cpuUsage();
    const begin = performance.now();
    await repository.readyIndex();
    const ready = performance.now();
    const { times, titles } = await searchedMeanwhile(repository);
    const seconds = (performance.now() - ready) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const what = `indexed anew, ${name}, ${titles.toLocaleString("en")} titles`;
    return [
      figure(`${what}: before it answers`, `${((ready - begin) / 1_000).toFixed(1)} s`),
      figure(`${what}: in the background`, `${seconds.toFixed(0)} s, ${(titles / seconds).toFixed(0)} a second`),
      figure(`${what}: processor, of Kinora`, `${((user + system) / 1e6).toFixed(0)} s`),
      figure(`${what}: search meanwhile, p50 / p99`, `${at(times, 0.5).toFixed(1)} / ${at(times, 0.99).toFixed(1)} ms`),
    ];
  } finally {
    await close();
  }
}

async function searchedMeanwhile(repository: SqlTitleRepository) {
  const search = searchOf(titleQuery.parse({ q: "the" }), null, null);
  const times: number[] = [];
  let titles = 0;
  let isDone = false;
  const searching = async () => {
    while (!isDone) {
      const begin = performance.now();
      await repository.find(search, { sees: "everything" });
      times.push(performance.now() - begin);
      await Bun.sleep(PAUSE_MS);
    }
  };
  const indexing = async () => {
    await repository.indexAnew((progress) => {
      titles = progress.titles;
    }, new AbortController().signal);
    isDone = true;
  };
  await Promise.all([indexing(), searching()]);
  return { times, titles };
}

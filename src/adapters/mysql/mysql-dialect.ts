import {
  type CreateTableNode,
  type Dialect,
  type Driver,
  type Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
} from "kysely";

export interface MysqlDialectOptions {
  readonly driver: () => Driver;
  /** A collation in which only equal texts are equal, trailing spaces included. */
  readonly collation: string;
}

/** Kysely's MySQL with our driver; tables get a character set and collation that do not depend on the server's. */
export class KinoraMysqlDialect implements Dialect {
  readonly #options: MysqlDialectOptions;

  constructor(options: MysqlDialectOptions) {
    this.#options = options;
  }

  createAdapter = () => new MysqlAdapter();
  createDriver = (): Driver => this.#options.driver();
  createQueryCompiler = () => new ExactTextCompiler(this.#options.collation);
  createIntrospector = (database: Kysely<unknown>) => new MysqlIntrospector(database);
}

class ExactTextCompiler extends MysqlQueryCompiler {
  readonly #collation: string;

  constructor(collation: string) {
    super();
    this.#collation = collation;
  }

  protected override visitCreateTable(node: CreateTableNode): void {
    super.visitCreateTable(node);
    this.append(` engine=InnoDB character set utf8mb4 collate ${this.#collation}`);
  }
}

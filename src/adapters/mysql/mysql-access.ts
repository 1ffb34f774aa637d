/** Where a server is and how it is used, as the configuration says it. */
export interface MysqlAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The database's name. */
  readonly name: string;
  /** `off`; `verify`: the server's certificate must be good; `insecure`: encrypted, whoever answers. */
  readonly tls: "off" | "verify" | "insecure";
  /** A file of certificates (PEM) to check the server's against; the system's when null. */
  readonly ca: string | null;
  /** Connections that one process opens at most. */
  readonly poolSize: number;
  /** How long a statement may run. */
  readonly statementMs: number;
}

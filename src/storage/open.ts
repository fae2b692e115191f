/** Picks the engine: PostgreSQL where `DATABASE_URL` is set, otherwise the embedded one. */
import { openPostgres } from './postgres/engine.ts'
import type { Storage } from './port.ts'
import { openSqlite } from './sqlite/engine.ts'

/** Where the data is. */
export interface StorageOptions {
  /** `postgres://…`; unset means the embedded engine. */
  readonly databaseUrl?: string | undefined
  /** The directory of the embedded engine; not touched when there is a database URL. */
  readonly dataDirectory: string
}

/**
 * Opens the store.
 * @throws DirectoryInUse; StorageUnavailable
 */
export function openStorage({ databaseUrl, dataDirectory }: StorageOptions): Promise<Storage> {
  return databaseUrl === undefined
    ? openSqlite({ directory: dataDirectory })
    : openPostgres({ connectionString: databaseUrl })
}

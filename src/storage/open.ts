/** Picks the engine: PostgreSQL where `DATABASE_URL` is set, otherwise the embedded one. Only that one is loaded. */
import type { Storage } from './port.ts'

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
export async function openStorage({ databaseUrl, dataDirectory }: StorageOptions): Promise<Storage> {
  if (databaseUrl === undefined) {
    const { openSqlite } = await import('./sqlite/engine.ts')
    return openSqlite({ directory: dataDirectory })
  }
  const { openPostgres } = await import('./postgres/engine.ts')
  return openPostgres({ connectionString: databaseUrl })
}

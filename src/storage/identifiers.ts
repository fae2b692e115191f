/**
 * The names of tables and columns that `operations.ts` puts into SQL text. They come from code alone; this file makes
 * sure of it, and of the rule that keys begin with the environment (architecture section 5).
 */

/** The tables whose keys do not name an environment: a closed list. */
const globalTables: ReadonlySet<string> = new Set([
  'organizations',
  'licenses',
  'environments',
  'roles',
  'role_assignments',
  'client_index',
  'domain_index',
  'leases',
  'migrations',
])

const pattern = /^[a-z][a-z0-9_]{0,62}$/
const known = new Set<string>()

/**
 * Returns the name unchanged if it is a plain lower-case identifier.
 * @throws TypeError otherwise: a name that came from a request would be an injection
 */
export function identifier(name: string): string {
  if (known.has(name)) return name
  if (!pattern.test(name)) throw new TypeError('A table or column name must be lower-case letters, digits and _')
  known.add(name)
  return name
}

/**
 * Checks that a key or a row of `table` names its environment.
 * @throws TypeError when it does not and the table is not global: the statement would reach across environments
 */
export function checkTenant(table: string, columns: Readonly<Record<string, unknown>>): void {
  if (!globalTables.has(table) && !Object.hasOwn(columns, 'environment_id')) {
    throw new TypeError(`Every key and row of ${table} must name its environment_id`)
  }
}

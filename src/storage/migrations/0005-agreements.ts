/** Languages, agreements with their languages and revisions, and the consents of users. */
import type { Migration } from '../migration.ts'

export const agreements: Migration = {
  number: 5,
  name: 'agreements',
  steps: [],
}

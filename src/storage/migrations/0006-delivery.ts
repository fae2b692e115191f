/** Settings, policies and templates of notifications, and the inbox of development. */
import type { Migration } from '../migration.ts'

export const delivery: Migration = {
  number: 6,
  name: 'delivery',
  steps: [],
}

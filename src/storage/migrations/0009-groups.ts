/** Groups, their members, and what sign-on policies look at beside the user. */
import type { Migration } from '../migration.ts'

export const groups: Migration = {
  number: 9,
  name: 'groups',
  steps: [],
}

/** What the life of passwords and the registration of users need beside the first tables. */
import type { Migration } from '../migration.ts'

export const passwordLife: Migration = {
  number: 7,
  name: 'password-life',
  steps: [],
}

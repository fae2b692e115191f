/** External identity providers, links of users to them, and round trips that are under way. */
import type { Migration } from '../migration.ts'

export const identityProviders: Migration = {
  number: 4,
  name: 'identity-providers',
  steps: [],
}

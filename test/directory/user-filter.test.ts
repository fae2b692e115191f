/** A filter over users means the same to a list, which asks the store, and to a group, which judges one user. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { filteredUser, matches, readUserFilter, userAttributes } from '../../src/directory/user-filter.ts'
import { newUserRow, type User } from '../../src/directory/users.ts'
import { filterCondition } from '../../src/platform/filter.ts'
import { insert } from '../../src/storage/operations.ts'
import { countUsers } from '../../src/storage/sql/groups.ts'
import { every, equal } from '../../src/storage/sql/page.ts'
import { realWorld } from '../../src/world.ts'
import { onBothEngines } from './engines.ts'

const words = ['', 'a', 'A', 'ab', 'Ab ', 'ä', 'Ä', 'a\u{10ffff}', '\ud7ff', '\ue000', 'ﬁ', 'fi', 'İ', '~']
const word = fc.constantFrom(...words)
const known = fc.constantFrom(...words.filter((each) => each !== ''))
const operand = fc.oneof(
  word,
  word.map((text) => text.toLowerCase()),
)

const term = fc.oneof(
  fc
    .record({ name: fc.constantFrom(...Object.keys(userAttributes)), operator: fc.constantFrom('eq', 'sw'), operand })
    .filter(
      ({ name, operator }) => name !== 'enabled' && userAttributes[name]?.operators.includes(operator as 'eq') === true,
    )
    .map(({ name, operator, operand: value }) => `${name} ${operator} ${JSON.stringify(value)}`),
  fc.constantFrom('enabled eq true', 'enabled eq "false"'),
)
const filter = fc
  .array(fc.tuple(term, fc.constantFrom('and', 'or')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map(([text, join], at) => (at === 0 ? text : `${join} (${text})`)).join(' '))

const person = fc.record({
  username: known,
  populationId: known,
  enabled: fc.boolean(),
  document: fc.record(
    {
      email: known,
      mobilePhone: known,
      externalId: known,
      name: fc.record({ given: known, family: known }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  ),
})

await onBothEngines('filters over users', ([storage]) => {
  test('mean the same to a list and to a group', async () => {
    assert.ok(storage)
    let matched = 0
    await fc.assert(
      fc.asyncProperty(person, fc.array(filter, { minLength: 1, maxLength: 8 }), async (written, texts) => {
        const environmentId = realWorld.uuid()
        const user: User = {
          ...written,
          id: realWorld.uuid(),
          environmentId,
          lockedAt: null,
          mfaEnabled: false,
          verificationRequired: false,
          lastSignOn: null,
          version: 1,
          createdAt: 1,
          updatedAt: 1,
        }
        await storage.commit({ name: 'test.insert-user', run: () => insert('users', newUserRow(user)) })
        for (const text of texts) {
          const read = readUserFilter(text)
          const condition = every([equal('u.id', user.id), filterCondition(read, userAttributes)])
          const [counted]: readonly { users: number }[] = await storage.read(countUsers(environmentId, condition))
          if (counted?.users === 1) matched += 1
          assert.equal(matches(read, filteredUser(user)), counted?.users === 1, `${text} of ${JSON.stringify(written)}`)
        }
      }),
      { numRuns: 150 },
    )
    assert.ok(matched > 50, `users match now and then: ${matched}`)
  })
})

test('an attribute that is absent matches nothing', () => {
  const user = { id: 'x', username: 'ann', population: { id: 'p' }, enabled: true }
  for (const text of ['email sw ""', 'name.given sw ""', 'externalId eq ""', 'mobilePhone sw ""']) {
    assert.equal(matches(readUserFilter(text), user), false, text)
  }
})

/** Pairwise names of users and sessions: OpenID Connect Core section 8.1; rows F13, F19. */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  type SectorMember,
  sessionFor,
  sessionOfSid,
  subjectFor,
  userOfSubject,
} from '../../src/environment/subject.ts'

const environment = () => ({ dataKey: createSecretKey(randomBytes(32)) })
const member = (uri: string, sectorIdentifierUri?: string): SectorMember => ({
  document: { subjectType: 'pairwise', redirectUris: [uri], sectorIdentifierUri },
})
const ids = fc.uuid({ version: 4 })

suite('pairwise names', () => {
  const here = environment()
  const one = member('https://one.test/cb')
  const two = member('https://two.test/cb')

  test('are read back to the id they were made of, and are always the same', () => {
    fc.assert(
      fc.property(ids, (id) => {
        assert.equal(userOfSubject(here, one, subjectFor(here, one, id)), id)
        assert.equal(sessionOfSid(here, one, sessionFor(here, one, id)), id)
        assert.equal(subjectFor(here, one, id), subjectFor(here, one, id))
        assert.match(subjectFor(here, one, id), /^[\w-]{22}$/)
      }),
    )
  })

  test('F19: one is no name of another sector, another environment or another kind', () => {
    fc.assert(
      fc.property(ids, (id) => {
        const subject = subjectFor(here, one, id)
        const others = [
          userOfSubject(here, two, subject),
          userOfSubject(environment(), one, subject),
          sessionOfSid(here, one, subject),
          userOfSubject(here, one, sessionFor(here, one, id)),
        ]
        assert.ok(others.every((other) => other !== id))
        assert.ok(![subjectFor(here, two, id), sessionFor(here, one, id), id].includes(subject))
      }),
    )
  })

  test('F07: an id, and anything that nobody wrote, is none', () => {
    const subject = subjectFor(here, one, '6f8f2b9c-5f0e-4f0a-9d44-0a1b2c3d4e5f')
    const spellings = [`${subject}=`, ` ${subject}`, `${subject.slice(0, -1)}`, `${subject}A`, '', '\u0000']
    for (const text of ['6f8f2b9c-5f0e-4f0a-9d44-0a1b2c3d4e5f', ...spellings]) {
      assert.equal(userOfSubject(here, one, text), undefined, text)
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = userOfSubject(here, one, text)
        assert.ok(id === undefined || subjectFor(here, one, id) === text)
      }),
    )
  })

  test('8.1: the sector is the host of the redirect URIs, or of the sector identifier; a port is no part of it', () => {
    const id = '6f8f2b9c-5f0e-4f0a-9d44-0a1b2c3d4e5f'
    const subject = subjectFor(here, one, id)
    const same = [
      member('https://one.test:8443/other'),
      member('https://ONE.test/cb'),
      member('https://two.test/cb', 'https://one.test/sector.json'),
    ]
    for (const each of same) assert.equal(subjectFor(here, each, id), subject)
    const other = [two, member('https://one.test.evil.test/cb'), member('https://one.test/cb', 'https://two.test/s')]
    for (const each of other) assert.notEqual(subjectFor(here, each, id), subject)
  })

  test('with public subjects everything is its id', () => {
    for (const subjectType of [undefined, 'public'] as const) {
      const plain: SectorMember = { document: { subjectType, redirectUris: ['https://one.test/cb'] } }
      assert.equal(subjectFor(here, plain, 'id'), 'id')
      assert.equal(userOfSubject(here, plain, 'id'), 'id')
      assert.equal(sessionFor(here, plain, 'id'), 'id')
      assert.equal(sessionOfSid(here, plain, 'id'), 'id')
    }
  })
})

/** When a key signs and how long it is published: rows F11 and R17, as arithmetic. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  allExpiredBefore,
  followingOf,
  jwksLifetimeSeconds,
  leastPublicationSeconds,
  plannedFor,
  type Schedule,
  signingAt,
  soonest,
  superseded,
  upcoming,
} from '../../src/keys/rotation.ts'

const now = Date.UTC(2026, 10, 22)
const day = 86_400_000

interface Key extends Schedule {
  readonly name: string
}

const key = (name: string, signsFrom: number, more: Partial<Schedule> = {}): Key => ({
  name,
  createdAt: signsFrom - 90 * day,
  signsFrom,
  retiredAt: null,
  ...more,
})
const names = (keys: Iterable<Key>) => [...keys].map(({ name }) => name)

suite('rotation of keys', () => {
  const old = key('old', now - 200 * day, { retiredAt: now - 110 * day })
  const previous = key('previous', now - 110 * day)
  const current = key('current', now - 20 * day)
  const next = key('next', now + 70 * day)
  const later = key('later', now + 160 * day)
  const keys = [later, previous, old, next, current]

  test('the key that began last signs, to the millisecond; one that is retired never does', () => {
    assert.equal(signingAt(keys, now), current)
    assert.equal(signingAt(keys, next.signsFrom - 1), current)
    assert.equal(signingAt(keys, next.signsFrom), next)
    assert.equal(signingAt([old], now), undefined)
    assert.equal(signingAt([next], now), undefined)
  })

  test('those that follow come in their order; those before ended as the next one began', () => {
    assert.deepEqual(names(upcoming(keys, now)), ['next', 'later'])
    assert.deepEqual(names(upcoming(keys, next.signsFrom)), ['later'])
    assert.deepEqual([...superseded(keys, now)], [[previous, current.signsFrom]])
    assert.deepEqual(
      [...superseded(keys, later.signsFrom)].map(([{ name }, at]) => [name, at]),
      [
        ['previous', current.signsFrom],
        ['current', next.signsFrom],
        ['next', later.signsFrom],
      ],
    )
  })

  test('whatever the keys are, exactly one signs at any moment after the first began, and it is published', () => {
    const times = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 1100 }), (begins, at) => {
        const some = begins.map((signsFrom) => key(String(signsFrom), signsFrom))
        const signing = signingAt(some, at)
        assert.equal(
          signing === undefined,
          begins.every((begin) => begin > at),
        )
        const parts = [...superseded(some, at).keys(), ...(signing ? [signing] : []), ...upcoming(some, at)]
        assert.deepEqual(new Set(parts), new Set(some), 'each key is past, present or to come')
        assert.equal(parts.length, some.length)
      }),
    )
  })

  test('R17: a next key is planned for a period later, and never before it was published for as long as it must be', () => {
    const rotation = { rotationPeriodDays: 90, publicationSeconds: 86_400 }
    assert.equal(plannedFor(rotation, current, now, now), current.signsFrom + 90 * day)
    const overdue = key('overdue', now - 100 * day)
    assert.equal(plannedFor(rotation, overdue, now, now), now + day)
    assert.equal(
      plannedFor(rotation, overdue, now - 2 * day, now),
      now + 10_000,
      'published long ago: every node is told',
    )
    assert.equal(plannedFor(rotation, undefined, now, now), now, 'the first of all waits for nobody')
    assert.equal(followingOf(now, rotation), now + 90 * day)
  })

  test('R17: on demand a key signs once no verifier can have a copy of the JWKS without it', () => {
    assert.equal(jwksLifetimeSeconds, 300)
    assert.equal(leastPublicationSeconds, 310)
    assert.equal(soonest(now, now), now + 310_000)
    assert.equal(soonest(now - 305_000, now), now + 10_000)
    assert.equal(soonest(now - 60 * day, now), now + 10_000)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (since) => {
        const at = soonest(now - since, now)
        return at >= now + 10_000 && at - (now - since) >= 310_000
      }),
    )
  })

  test('F11: a key is kept for the longest life that any token can be given', () => {
    assert.equal(now - allExpiredBefore(now), 2_592_000_000 + 120_000)
  })
})

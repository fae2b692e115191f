import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { clientJwtProblem } from '../../../src/oauth/rules/client-jwt-claims.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const expectations = { issuer: 'client', audiences: ['https://op/as'], longestLife: 300, now }
const good = { iss: 'client', aud: 'https://op/as', exp: seconds + 60 }

suite('claims of a JWT that a client made', () => {
  const accepted: Readonly<Record<string, object>> = {
    'the least there is': good,
    'an audience in a list of one': { ...good, aud: ['https://op/as'] },
    'just expired, by a clock that is behind': { ...good, exp: seconds - 59 },
    'made in the future, by a clock that is ahead': { ...good, iat: seconds + 59, nbf: seconds + 59 },
  }
  for (const [name, claims] of Object.entries(accepted)) {
    test(name, () => assert.equal(clientJwtProblem({ ...claims }, expectations), undefined))
  }

  const refused: Readonly<Record<string, readonly [object, RegExp]>> = {
    'another issuer': [{ ...good, iss: 'other' }, /iss/],
    'no issuer': [{ ...good, iss: undefined }, /iss/],
    'another audience': [{ ...good, aud: 'https://other/as' }, /aud/],
    'one audience of several': [{ ...good, aud: ['https://op/as', 'https://other/as'] }, /aud/],
    'an audience with a slash more': [{ ...good, aud: 'https://op/as/' }, /aud/],
    'no end': [{ ...good, exp: undefined }, /exp/],
    'an end that is a text': [{ ...good, exp: String(seconds + 60) }, /exp/],
    'an end that is no number': [{ ...good, exp: Number.NaN }, /exp/],
    expired: [{ ...good, exp: seconds - 60 }, /expired/],
    'an end far away': [{ ...good, exp: seconds + 361 }, /too far/],
    'not valid yet': [{ ...good, nbf: seconds + 61 }, /not valid yet/],
    'made in the future': [{ ...good, iat: seconds + 61 }, /not valid yet/],
    'a start that is a text': [{ ...good, nbf: '0' }, /nbf/],
  }
  for (const [name, [claims, problem]] of Object.entries(refused)) {
    test(`refused: ${name}`, () => assert.match(clientJwtProblem({ ...claims }, expectations) ?? '', problem))
  }
})

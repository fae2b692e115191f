/** Media types as selectors of operations (decision D5, RFC 9110 section 8.3.1; row O06). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalMediaType, foreignCharset, vendorMediaType } from '../../src/contract/media-type.ts'

test('case, parameters and +json do not count', () => {
  const canonical = 'application/vnd.pingidentity.password.reset'
  for (const spelling of [
    canonical,
    `${canonical}+json`,
    `${canonical.toUpperCase()}+JSON`,
    `${canonical}+json;charset=UTF-8`,
    `${canonical}+json ; charset="utf-8"; x=y`,
    ` ${canonical}+json `,
  ]) {
    assert.equal(canonicalMediaType(spelling), canonical, spelling)
  }
  assert.equal(canonicalMediaType(vendorMediaType('password.reset')), canonical)
  assert.equal(canonicalMediaType('application/json'), 'application/json')
  assert.equal(canonicalMediaType('application/hal+json'), 'application/hal')
})

test('+json counts once and at the end alone', () => {
  assert.equal(canonicalMediaType('application/x+json+json'), 'application/x+json')
  assert.equal(canonicalMediaType('application/x+json+xml'), 'application/x+json+xml')
  assert.equal(canonicalMediaType('application/+json'), 'application/')
})

test('what is no media type is none', () => {
  for (const text of [
    undefined,
    '',
    'json',
    '/',
    'a/',
    '/b',
    'a/b/c',
    'a b/c',
    'application/json, text/plain',
    'a/b c',
    `a/${'b'.repeat(200)}`,
    'ä/b',
    'a/b\n',
  ]) {
    const canonical = canonicalMediaType(text)
    assert.ok(canonical === undefined || canonical === 'a/b', String(text))
  }
})

test('another charset than UTF-8 is told, however it is written', () => {
  for (const text of [
    'a/b;charset=utf-16',
    'a/b; Charset="ISO-8859-1"',
    'a/b;x=y; CHARSET = us-ascii',
    'a/b;charset=utf8',
  ]) {
    assert.equal(foreignCharset(text), true, text)
  }
  for (const text of [undefined, '', 'a/b', 'a/b;charset=utf-8', 'a/b; charset="UTF-8"', 'a/b;x=charset']) {
    assert.equal(foreignCharset(text), false, text)
  }
})

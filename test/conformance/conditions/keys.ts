/** Conditions on the keys that a server publishes, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'

/** CheckServerKeysIsValid, and the sequence ValidateJwksSequence. */
export function validateJwksSequence({ keys }: JSONWebKeySet): void {
  assert.ok(keys.length > 0)
  for (const key of keys) {
    ensureJwksHasNoPrivateOrSymmetricKeyMaterial(key)
    assert.ok(createPublicKey({ key: key as JsonWebKey, format: 'jwk' }), 'ParseUsableJwksKeys')
  }
}

function ensureJwksHasNoPrivateOrSymmetricKeyMaterial(key: object): void {
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) assert.ok(!(name in key), name)
}

export function checkForKeyIdInServerJWKs({ keys }: JSONWebKeySet): void {
  for (const { kid } of keys) assert.ok(kid)
}

export function checkDistinctKeyIdValueInServerJWKs({ keys }: JSONWebKeySet): void {
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length)
}

export function verifyNewJwksHasNewSigningKey(first: JSONWebKeySet, second: JSONWebKeySet): void {
  const known = first.keys.map(({ kid }) => kid)
  assert.ok(second.keys.some(({ kid, use }) => use === 'sig' && !known.includes(kid)))
}

export function verifyNewJwksStillHasOldSigningKey(first: JSONWebKeySet, second: JSONWebKeySet): void {
  const present = second.keys.map(({ kid }) => kid)
  assert.ok(first.keys.every(({ kid }) => present.includes(kid)))
}

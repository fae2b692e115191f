/**
 * Forgeries of a JWT by its algorithm, its signature and its key: rows F01, F02, F03, F04 and F06 of the security catalogue.
 */
import { createHash, generateKeyPairSync } from 'node:crypto'
import {
  decode,
  ecdsa,
  encode,
  type Forge,
  type JwtSigner,
  mac,
  type Members,
  parts,
  signJwtAs,
} from './jwt-forging.ts'

/** The key of the attacker. */
const evil = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const evilJwk = evil.publicKey.export({ format: 'jwk' })

/** F01. */
export const unsigned: Forge = ({ good, signer }) => {
  const { c, header, claims } = parts(good)
  const forged: Record<string, string> = {}
  for (const alg of ['none', 'None', 'nOnE', 'none ', '', null, undefined, ['none'], ['ES256'], 'es256', 0]) {
    const name = `alg ${JSON.stringify(alg) ?? 'absent'}`
    const said = encode({ ...header, alg })
    forged[`${name}, without signature`] = `${said}.${c}.`
    if (typeof alg !== 'string' || alg === 'none' || alg === 'es256') {
      forged[`${name}, signed`] = signJwtAs(signer, { ...header, alg }, claims)
    }
  }
  return forged
}

/** F02, and F03 as to empty keys. */
export const bySecret: Forge = ({ good, signer }) => {
  const { header, c } = parts(good)
  const secrets: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'of zeros': Buffer.alloc(32),
    'a word': Buffer.from('secret'),
  }
  if (signer.algorithm === 'ES256') {
    const { publicKey } = signer
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const jwk = publicKey.export({ format: 'jwk' })
    secrets['PEM'] = Buffer.from(pem)
    secrets['PEM without the last line break'] = Buffer.from(pem.trim())
    secrets['PEM after a space'] = Buffer.from(` ${pem}`)
    secrets['PEM in one line'] = Buffer.from(pem.replaceAll('\n', ''))
    secrets['DER'] = publicKey.export({ type: 'spki', format: 'der' })
    secrets['JWK'] = Buffer.from(JSON.stringify(jwk))
    secrets['x of the JWK'] = Buffer.from(jwk.x ?? '', 'base64url')
  }
  const forged: Record<string, string> = {}
  for (const [name, secret] of Object.entries(secrets)) {
    for (const bits of name === 'PEM' ? ['256', '384', '512'] : ['256']) {
      const input = `${encode({ ...header, alg: `HS${bits}` })}.${c}`
      forged[`secret ${name}, HS${bits}`] = `${input}.${mac(input, secret, `sha${bits}`).toString('base64url')}`
    }
  }
  return forged
}

/** F06, and the algorithms of RFC 8725 section 3.1. */
export const bySignature: Forge = ({ good, signer }) => {
  const { h, c, s, header } = parts(good)
  const bytes = Buffer.from(s, 'base64url')
  const input = `${h}.${c}`
  const forged: Record<string, string> = {
    'signature empty': `${input}.`,
    'signature of zeros': `${input}.${Buffer.alloc(bytes.length).toString('base64url')}`,
    'signature of ones': `${input}.${Buffer.alloc(bytes.length, 0xff).toString('base64url')}`,
    'signature too short': `${input}.${bytes.subarray(0, -1).toString('base64url')}`,
    'signature too long': `${input}.${Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')}`,
    'signature with a bit changed': `${input}.${Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]).toString('base64url')}`,
    'signature of other claims': `${h}.${encode({ ...decode(c), more: 1 })}.${s}`,
    'signature of another header': `${encode({ ...header, more: 1 })}.${c}.${s}`,
  }
  for (const alg of [
    'ES384',
    'ES512',
    'RS256',
    'PS256',
    'EdDSA',
    'ES256K',
    signer.algorithm === 'ES256' ? 'HS256' : 'ES256',
  ]) {
    const said = `${encode({ ...header, alg })}.${c}`
    const hash = /\d{3}$/.test(alg) ? `sha${alg.slice(-3)}` : 'sha256'
    const made = signer.algorithm === 'HS256' ? mac(said, signer.secret, hash) : ecdsa(said, signer.privateKey, hash)
    forged[`signature said to be ${alg}, by ${hash}`] = `${said}.${made.toString('base64url')}`
  }
  if (signer.algorithm === 'ES256') {
    const half = bytes.length / 2
    const zero = Buffer.alloc(half)
    forged['signature in DER'] = `${input}.${ecdsa(input, signer.privateKey, 'sha256', 'der').toString('base64url')}`
    forged['signature with r = 0'] = `${input}.${Buffer.concat([zero, bytes.subarray(half)]).toString('base64url')}`
    forged['signature with s = 0'] = `${input}.${Buffer.concat([bytes.subarray(0, half), zero]).toString('base64url')}`
    forged['signature by another hash'] = `${input}.${ecdsa(input, signer.privateKey, 'sha384').toString('base64url')}`
  }
  return forged
}

/** F04: a key of the attacker's own, in every way that a header can name one. */
export const byKey: Forge = ({ good, evilUrl }) => {
  const { header, claims } = parts(good)
  const by: JwtSigner = { algorithm: 'ES256', ...evil }
  const certificate = evil.publicKey.export({ type: 'spki', format: 'der' })
  const ways: Record<string, Members> = {
    'with nothing said of it': {},
    'without kid': { kid: undefined },
    'in jwk beside the kid': { jwk: evilJwk },
    'in jwk without kid': { jwk: evilJwk, kid: undefined },
    'in jwk of the kid': { jwk: { ...evilJwk, kid: header['kid'] ?? 'evil' } },
    'at jku': { jku: `${evilUrl}/jwks`, kid: 'evil' },
    'at x5u': { x5u: `${evilUrl}/certificate`, kid: undefined },
    'in x5c': { x5c: [certificate.toString('base64')], kid: undefined },
    'by x5t': { x5t: createHash('sha1').update(certificate).digest('base64url') },
    'by x5t#S256': { 'x5t#S256': createHash('sha256').update(certificate).digest('base64url'), kid: undefined },
  }
  return Object.fromEntries(
    Object.entries(ways).map(([name, way]) => [
      `key ${name}`,
      signJwtAs(by, { ...header, alg: 'ES256', ...way }, claims),
    ]),
  )
}

/** F03. */
export const byKid: Forge = ({ good, signer, evilUrl }) => {
  const { header, claims } = parts(good)
  const forged: Record<string, string> = {}
  const kids = ['../../../dev/null', "' OR 1=1--", `${evilUrl}/key`, '__proto__', 'constructor', 'k'.repeat(3000)]
  const elsewhere: JwtSigner = { algorithm: 'ES256', ...evil }
  for (const kid of kids) {
    const input = `${encode({ ...header, alg: 'HS256', kid })}.${encode(claims)}`
    const name = kid.slice(0, 20)
    forged[`kid ${name}, by the right key`] = signJwtAs(signer, { ...header, kid }, claims)
    // Those that might be found, and be none.
    if (kid.startsWith('.'))
      forged[`kid ${name}, with an empty key`] = `${input}.${mac(input, Buffer.alloc(0)).toString('base64url')}`
    if (kid.startsWith('_'))
      forged[`kid ${name}, by another key`] = signJwtAs(elsewhere, { ...header, alg: 'ES256', kid }, claims)
  }
  for (const kid of [null, [header['kid'] ?? 'k'], { kid: 'k' }, 1, true]) {
    forged[`kid that is no text: ${JSON.stringify(kid).slice(0, 8)}`] = signJwtAs(signer, { ...header, kid }, claims)
  }
  return forged
}

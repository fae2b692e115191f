/**
 * Forgeries of a JWT, made of one that is good: rows F01 to F08 of the security catalogue, RFC 8725. Each is told by a name
 * that begins with what it attacks: `alg`, `secret`, `signature`, `key`, `kid`, `header`, `text`, `form`, `typ`, `claims`.
 */
import { byKey, byKid, bySecret, bySignature, unsigned } from './jwt-forged-keys.ts'
import { encode, type Forge, type ForgeryMaterial, type Members, parts, signJwtAs } from './jwt-forging.ts'

/** A JWT that an attacker has sent. */
export interface Forgery {
  readonly name: string
  readonly text: string
  /** The same forgery, of another good one. */
  readonly again: (good: string) => string
}

/** The last character of base64url with another of the bits that no byte holds. */
function withStrayBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1)
}

/** All forgeries of a JWT. */
export function forgeriesOf(material: ForgeryMaterial): readonly Forgery[] {
  const all = [unsigned, bySecret, bySignature, byKey, byKid, byHeader, byText, byForm, byType, byClaims]
  return all.flatMap((forge) =>
    Object.entries(forge(material)).map(([name, text]) => ({
      name,
      text,
      again: (good: string) => forge({ ...material, good })[name] ?? text,
    })),
  )
}

/** F05, signed by whom it should be. */
const byHeader: Forge = ({ good, signer }) => {
  const { header, claims } = parts(good)
  const signed = (more: Members) => signJwtAs(signer, { ...header, ...more }, claims)
  const text = JSON.stringify(header)
  return {
    'header with crit that is unknown': signed({ crit: ['urn:x'], 'urn:x': 1 }),
    'header with crit of a claim': signed({ crit: ['exp'], exp: 1 }),
    'header with crit that is empty': signed({ crit: [] }),
    'header with crit that is no list': signed({ crit: 'exp' }),
    'header with b64 and crit': signed({ crit: ['b64'], b64: false }),
    'header with b64 alone': signed({ b64: false }),
    'header with b64 true': signed({ b64: true, crit: ['b64'] }),
    'header with zip': signed({ zip: 'DEF' }),
    'header with enc': signed({ enc: 'A256GCM' }),
    'header with alg twice, none first': signJwtAs(signer, text.replace('{', '{"alg":"none",'), claims as Members),
    'header with alg twice, none last': signJwtAs(signer, text.replace(/\}$/, ',"alg":"none"}'), claims as Members),
    'header with typ twice': signJwtAs(signer, text.replace('{', '{"typ":"x","typ":"y",'), claims as Members),
    'header with alg twice, in escapes': signJwtAs(
      signer,
      text.replace('{', '{"\\u0061lg":"none",'),
      claims as Members,
    ),
    'header after a byte order mark': signJwtAs(signer, `\ufeff${text}`, claims as Members),
    'header with more behind it': signJwtAs(signer, `${text}{}`, claims as Members),
    'header that is a list': signJwtAs(signer, `[${text}]`, claims as Members),
    'header with typ that is no text': signed({ typ: [header['typ'] ?? 'JWT'] }),
    'header with typ null': signed({ typ: null }),
  }
}

/** F07: one text for one JWT. */
const byText: Forge = ({ good, signer }) => {
  const { h, c, s, header, claims } = parts(good)
  const classic = (part: string) => part.replaceAll('-', '+').replaceAll('_', '/')
  const said = JSON.stringify(claims)
  // Claims whose base64url has both characters that classic base64 spells otherwise.
  const [odd = ''] = ['~~>?', '>~~?', '?~>~'].map((more) =>
    signJwtAs(signer, header, { ...claims, more: more.repeat(3) }),
  )
  const [oddHeader = '', oddClaims = '', oddSignature = ''] = odd.split('.')
  return {
    'text with padding of the header': `${h}=.${c}.${s}`,
    'text with padding of the claims': `${h}.${c}==.${s}`,
    'text with padding of the signature': `${h}.${c}.${s}==`,
    'text in the classic alphabet': `${classic(oddHeader)}.${classic(oddClaims)}.${classic(oddSignature)}+/`,
    'text with stray bits': `${h}.${c}.${withStrayBits(s)}`,
    'text with a space inside': `${h}. ${c}.${s}`,
    'text with a tab inside': `${h}.${c}\t.${s}`,
    'text with a character that is none': `${h}.${c}.${s.slice(0, 9)}*${s.slice(9)}`,
    'text with a dot at the end': `${good}.`,
    'text with a dot at the beginning': `.${good}`,
    'text with a character more': `${good}A`,
    'text twice': `${good}${good}`,
    'text twice, by a comma': `${good},${good}`,
    'text in quotes': `"${good}"`,
    'claims twice': signJwtAs(signer, header, said.replace('{', '{"iss":"x","sub":"x","aud":"x","iat":1,"jti":"x",')),
    'claims after a byte order mark': signJwtAs(signer, header, `\ufeff${said}`),
    'claims with more behind them': signJwtAs(signer, header, `${said}{}`),
    'claims that are a list': signJwtAs(signer, header, `[${said}]`),
    'claims that are null': signJwtAs(signer, header, 'null'),
    'claims that are no JSON': signJwtAs(signer, header, said.slice(0, -1)),
    'claims that are nothing': signJwtAs(signer, header, ''),
    'claims that are nested too deep': signJwtAs(signer, header, `${'['.repeat(2000)}${']'.repeat(2000)}`),
  }
}

/** Serializations and nestings that are no compact JWS (RFC 7515 section 7.2, RFC 7516 section 7.1). */
const byForm: Forge = ({ good, signer }) => {
  const { h, c, s, header, claims } = parts(good)
  const nested = Array.from({ length: 4 }).reduce<string>(
    (inner) => signJwtAs(signer, { ...header, cty: 'JWT' }, inner),
    good,
  )
  return {
    'form of flattened JSON': JSON.stringify({ protected: h, payload: c, signature: s }),
    'form of general JSON': JSON.stringify({ payload: c, signatures: [{ protected: h, signature: s }] }),
    'form of JSON in base64url': encode({ protected: h, payload: c, signature: s }),
    'form of a nested JWS': signJwtAs(signer, { ...header, cty: 'JWT' }, good),
    'form of a JWS nested ever deeper': nested,
    'form of one part': h,
    'form of two parts': `${h}.${c}`,
    'form of four parts': `${good}.${s}`,
    'form of five parts': `${good}.${s}.${s}`,
    'form of a JWE': `${encode({ alg: 'dir', enc: 'A256GCM' })}..${s}.${c}.${s}`,
    'form of a JWE with RSA1_5': `${encode({ alg: 'RSA1_5', enc: 'A128CBC-HS256' })}.${s}.${s}.${c}.${s}`,
    'form of a payload that is detached': `${h}..${s}`,
    'form that is oversized': signJwtAs(signer, header, { ...claims, more: 'x'.repeat(70_000) }),
  }
}

/** F09, RFC 8725 section 3.11: a kind of its own, said in the header. */
const byType: Forge = ({ good, signer }) => {
  const { header, claims } = parts(good)
  const types = [
    'at+jwt',
    'rt+jwt',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'device+jwt',
    'token-introspection+jwt',
    '',
  ]
  return Object.fromEntries(
    types
      .filter((typ) => typ !== header['typ'])
      .map((typ) => [`typ ${typ || 'empty'}`, signJwtAs(signer, { ...header, typ }, claims)]),
  )
}

/** F08, and claims of somebody else. */
const byClaims: Forge = ({ good, signer, now, audience }) => {
  const { header, claims } = parts(good)
  const own = typeof audience === 'string' ? audience : 'https://other.test'
  const changes: Record<string, Members> = {
    'exp missing': { exp: undefined },
    'exp past': { exp: now - 3600, iat: now - 3660 },
    'exp far': { exp: now + 10 * 365 * 86_400 },
    'exp as text': { exp: String(now + 60) },
    'exp null': { exp: null },
    'exp negative': { exp: -1 },
    'exp in a list': { exp: [now + 60] },
    'nbf in the future': { nbf: now + 3600 },
    'nbf as text': { nbf: '0' },
    'iat in the future': { iat: now + 3600 },
    'iat as text': { iat: String(now) },
    'iss of another': { iss: 'https://other.test' },
    'iss missing': { iss: undefined },
    'iss in a list': { iss: [claims['iss']] },
    'iss in another case': { iss: String(claims['iss']).toUpperCase() },
    'aud of another': { aud: 'https://other.test' },
    'aud missing': { aud: undefined },
    'aud as object': { aud: { [own]: own } },
    'aud with another': { aud: [own, 'https://other.test'] },
    'aud with a slash': { aud: `${own}/` },
    'aud a number': { aud: [1] },
  }
  return Object.fromEntries(
    Object.entries(changes).map(([name, change]) => [
      `claims: ${name}`,
      signJwtAs(signer, header, { ...claims, ...change }),
    ]),
  )
}

/**
 * Passwords that come encoded from another system: the texts in which directories and frameworks write them, as one
 * table (platform-api 3.6 `password.set`; rows K26, K27).
 *
 * | text | what |
 * |---|---|
 * | `{SSHA}…`, `{SSHA256}…`, `{SSHA384}…`, `{SSHA512}…` | base64 of digest and salt: LDAP directories |
 * | `{BCRYPT}$2b$10$…`, `{CRYPT}$2b$10$…`, `$2b$10$…` | bcrypt, versions 2a, 2b and 2y |
 * | `{PBKDF2-SHA256}iterations$salt$digest`, `$pbkdf2-sha256$iterations$salt$digest` | PBKDF2; also with SHA-1 and SHA-512 |
 * | `{SCRYPT}$scrypt$ln=17,r=8,p=1$salt$digest`, `$scrypt$…` | scrypt |
 * | `{ARGON2}$argon2id$…`, `$argon2id$…` | argon2id, a PHC string |
 *
 * Never: a text that looks encoded and is taken for a password in clear; a password in clear in an error.
 */
import { digestLengths, type LegacyKdf, legacyKdfFrom } from './legacy-kdf.ts'
import { argon2Cost } from './phc.ts'

/** A password as another system kept it. */
export type ImportedHash =
  /** Argon2id: stored as it is, and replaced at the next sign-on where its cost is not the current one. */
  | { readonly kind: 'argon2id'; readonly hash: string }
  /** Anything else: stored as argon2id of the digest. */
  | { readonly kind: 'legacy'; readonly kdf: LegacyKdf; readonly digest: Uint8Array }

type Digest = keyof typeof digestLengths

/** Whether a text claims to be an encoded password, of whatever kind. */
export function isEncoded(text: string): boolean {
  return (
    /^\{[A-Za-z0-9][A-Za-z0-9._/-]{1,30}\}/.test(text) ||
    /^\$(?:2[a-z]?|argon2[a-z]*|pbkdf2(?:-[a-z0-9]+)?|scrypt)\$/i.test(text) ||
    /^\$[1567y]\$[^$]{1,80}\$.{20}/.test(text)
  )
}

/** Reads an encoded password; undefined when it is of an unknown kind, malformed, or dearer than what is ever computed. */
export function readImportedHash(text: string): ImportedHash | undefined {
  if (text.length > longest) return undefined
  for (const { pattern, read } of formats) {
    const match = pattern.exec(text)
    if (match) return read(match.slice(1).map((part) => part ?? ''))
  }
  return undefined
}

const longest = 512

interface Format {
  readonly pattern: RegExp
  readonly read: (parts: readonly string[]) => ImportedHash | undefined
}

const formats: readonly Format[] = [
  {
    pattern: /^\{SSHA(|256|384|512)\}([A-Za-z0-9+/]+={0,2})$/i,
    read([bits = '', encoded = '']) {
      const hash: Digest = bits === '' ? 'sha1' : (`sha${bits}` as Digest)
      const bytes = fromBase64(encoded)
      if (!bytes) return undefined
      const [digest, salt] = [bytes.subarray(0, digestLengths[hash]), bytes.subarray(digestLengths[hash])]
      return legacy({ kdf: 'salted-digest', hash, salt: salt.toString('base64') }, digest, digestLengths[hash])
    },
  },
  {
    pattern: /^(?:\{(?:BCRYPT|CRYPT)\})?(\$2[a-z]?\$\d\d\$[./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/i,
    read: ([salt = '', digest = '']) => legacy({ kdf: 'bcrypt', salt }, Buffer.from(digest), 31),
  },
  {
    pattern: /^(?:\{PBKDF2(|-SHA1|-SHA256|-SHA512)\}|\$pbkdf2(|-sha1|-sha256|-sha512)\$)(\d{1,10})\$([^$]+)\$([^$]+)$/i,
    read([named = '', modular = '', iterations = '', salt = '', encoded = '']) {
      const hash = (named || modular || '-sha1').slice(1).toLowerCase()
      const [saltBytes, digest] = [fromBase64(salt), fromBase64(encoded)]
      if (!saltBytes || !digest) return undefined
      const { length } = digest
      const parts = { kdf: 'pbkdf2', hash, iterations: Number(iterations), length, salt: saltBytes.toString('base64') }
      return legacy(parts, digest, length)
    },
  },
  {
    pattern: /^(?:\{SCRYPT\})?\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([^$]+)\$([^$]+)$/i,
    read([logCost, blockSize, lanes, salt = '', encoded = '']) {
      const [saltBytes, digest] = [fromBase64(salt), fromBase64(encoded)]
      if (!saltBytes || !digest) return undefined
      const { length } = digest
      const cost = { logCost: Number(logCost), blockSize: Number(blockSize), lanes: Number(lanes) }
      return legacy({ kdf: 'scrypt', ...cost, length, salt: saltBytes.toString('base64') }, digest, length)
    },
  },
  {
    pattern: /^(?:\{ARGON2\})?(\$argon2id\$v=19\$[^$]+\$([^$]+)\$([^$]+))$/,
    read([hash = '', salt = '', digest = '']) {
      const isSound = argon2Cost(hash) !== undefined && (fromBase64(salt)?.length ?? 0) >= 8 && fromBase64(digest)
      return isSound ? { kind: 'argon2id', hash } : undefined
    },
  },
]

function legacy(parts: object, digest: Uint8Array, length: number): ImportedHash | undefined {
  const kdf = legacyKdfFrom(parts)
  return kdf && digest.length === length ? { kind: 'legacy', kdf, digest } : undefined
}

/** Bytes of base64, with or without padding, `.` standing for `+` as some write it; undefined unless it is exact. */
function fromBase64(text: string): Buffer | undefined {
  const plain = text.replaceAll('.', '+').replace(/=+$/, '')
  const bytes = Buffer.from(plain, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : undefined
}

/**
 * `Blue-Horse-27-Staple` as other systems keep it. Made with other implementations than ours: Python's hashlib for
 * digests, PBKDF2 and scrypt, libxcrypt for bcrypt.
 */
export const vectorPassword = 'Blue-Horse-27-Staple'

const [salt, pbkdf2Salt] = ['c2FsdHNhbHQ', 'c2l4dGVlbi1ieXRlc2FsdA']
const [sha1, sha256] = ['FUeIKAX1jUmPjBXRyn/7HdCFSTk', 'XQN4iYoovRUAf9vPKm/37LHJKxuy6if7nhSfF35.P/g']
const sha512 = 'XMMqb4hPSZPyqkHVqOZ4mChoNt47zdYcn1esYmmreKdBE0j98VYUetcwhgLdogJv4gGkY1ql4RvMVp40i2WZtw'
const bcryptTail = '$05$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q'
const scryptText = `$scrypt$ln=10,r=8,p=1$${pbkdf2Salt}$MIObaqa3aMxw8Lb/PUyJR1bqCFC3PHEQgeOqmrzpl2c`

export const vectors: readonly string[] = [
  '{SSHA}rbqv3C1oHqfpUIOyiwcGnMLWL/hzYWx0c2FsdA==',
  '{ssha256}GsD1MipZgfNGBsDqjdIhLoTv1HI7OOfLUNE1AODNXWFzYWx0c2FsdA==',
  `{SSHA384}2Qz0s31gnpR3wgxCDWIWksVyIRknDlWaBEWSqCXqSqMPPykuDME6slmUG2Ycuc+o${salt}`,
  `{SSHA512}+DzY/nnvAdtgjP3oRYqHDrxexybPriOS4/Iv4MRTqENC64znCAuXWny0iOd5/TvwT6HAdL2CtXCDX9cMGRbKuHNhbHRzYWx0`,
  `$2b${bcryptTail}`,
  `$2a${bcryptTail}`,
  `$2y${bcryptTail}`,
  `{BCRYPT}$2b${bcryptTail}`,
  `{CRYPT}$2b${bcryptTail}`,
  `{PBKDF2}1000$${pbkdf2Salt}$${sha1}`,
  `{PBKDF2-SHA1}1000$${pbkdf2Salt}$${sha1}`,
  `{PBKDF2-SHA256}1000$${pbkdf2Salt}$${sha256}`,
  `$pbkdf2-sha256$1000$${pbkdf2Salt}==$${sha256.replace('.', '+')}=`,
  `$pbkdf2-sha512$1000$${pbkdf2Salt}$${sha512}`,
  scryptText,
  `{SCRYPT}${scryptText}`,
]

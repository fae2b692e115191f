/**
 * The two forms of a P-256 signature: DER, which node:crypto makes fastest, and the 64 bytes r and s side by side that
 * JWS wants (RFC 7518 section 3.4). Converting here costs a microsecond; asking node:crypto for the second form more
 * than halves the rate of signing.
 */

const NUMBER_BYTES = 32
const INTEGER = 0x02
const SEQUENCE = 0x30

/** Length of an ES256 signature in a JWS, in bytes. */
export const ES256_SIGNATURE_BYTES = 2 * NUMBER_BYTES

/** r and s side by side, from a DER signature that our own key has just made. */
export function jwsFromDer(der: Buffer): Buffer {
  const jws = Buffer.alloc(ES256_SIGNATURE_BYTES)
  // SEQUENCE and INTEGER headers have two bytes each, since a P-256 signature is never longer than 72 bytes.
  const rEnd = 4 + der.readUInt8(3)
  copyNumber(der.subarray(4, rEnd), jws, NUMBER_BYTES)
  copyNumber(der.subarray(rEnd + 2, rEnd + 2 + der.readUInt8(rEnd + 1)), jws, ES256_SIGNATURE_BYTES)
  return jws
}

/** The DER form of a 64-byte signature from a token. */
export function derFromJws(jws: Buffer): Buffer {
  const r = integer(jws.subarray(0, NUMBER_BYTES))
  const s = integer(jws.subarray(NUMBER_BYTES))
  return Buffer.concat([Buffer.from([SEQUENCE, r.length + s.length]), r, s])
}

/** INTEGER in its shortest form, with a zero in front where the first bit would be read as a sign (X.690, 8.3). */
function integer(number: Buffer): Buffer {
  let start = 0
  while (start < number.length - 1 && number[start] === 0) start++
  const digits = number.subarray(start)
  return (digits[0] ?? 0) < 0x80
    ? Buffer.concat([Buffer.from([INTEGER, digits.length]), digits])
    : Buffer.concat([Buffer.from([INTEGER, digits.length + 1, 0]), digits])
}

function copyNumber(number: Buffer, target: Buffer, end: number): void {
  const digits = number.length > NUMBER_BYTES ? number.subarray(number.length - NUMBER_BYTES) : number
  digits.copy(target, end - digits.length)
}

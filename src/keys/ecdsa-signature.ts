/**
 * The two forms of an ECDSA signature: DER, which node:crypto makes fastest, and the bytes of r and s side by side that
 * JWS wants (RFC 7518 section 3.4). Converting here costs a microsecond; asking node:crypto for the second form more
 * than halves the rate of signing.
 */

const INTEGER = 0x02
const SEQUENCE = 0x30
/** Lengths from here on are written in bytes of their own (X.690, 8.1.3). */
const LONG = 0x80

/**
 * r and s side by side, from a DER signature that our own key has just made.
 * @param numberBytes length of each of the two, as the curve has it: 32, 48 or 66
 */
export function jwsFromDer(der: Buffer, numberBytes: number): Buffer {
  const jws = Buffer.alloc(2 * numberBytes)
  // Only a P-521 signature can be so long that its SEQUENCE needs a second byte for its length; an INTEGER never is.
  const start = der.readUInt8(1) > LONG ? 3 : 2
  const rEnd = start + 2 + der.readUInt8(start + 1)
  copyNumber(der.subarray(start + 2, rEnd), jws, numberBytes, numberBytes)
  copyNumber(der.subarray(rEnd + 2, rEnd + 2 + der.readUInt8(rEnd + 1)), jws, 2 * numberBytes, numberBytes)
  return jws
}

/** The DER form of a signature from a token. Its length has been checked: it is twice that of a number. */
export function derFromJws(jws: Buffer): Buffer {
  const r = integer(jws.subarray(0, jws.length / 2))
  const s = integer(jws.subarray(jws.length / 2))
  const length = r.length + s.length
  return Buffer.concat([Buffer.from(length < LONG ? [SEQUENCE, length] : [SEQUENCE, LONG + 1, length]), r, s])
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

function copyNumber(number: Buffer, target: Buffer, end: number, numberBytes: number): void {
  const digits = number.length > numberBytes ? number.subarray(number.length - numberBytes) : number
  digits.copy(target, end - digits.length)
}

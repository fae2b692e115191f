/**
 * The key that a token is bound to, the `cnf` claim (RFC 7800 section 3.1): the thumbprint of the key of a DPoP proof
 * (RFC 9449 section 6.1), or of a client certificate (RFC 8705 section 3.1). Whoever presents the token has to hold the
 * key of every member.
 */

/** A confirmation method. */
export interface Confirmation {
  /** RFC 7638 SHA-256 thumbprint of a public key, base64url. */
  readonly jkt?: string
  /** SHA-256 of the DER of a certificate, base64url. */
  readonly 'x5t#S256'?: string
}

/**
 * The key that a token is bound to, the `cnf` claim (RFC 7800 section 3.1): the thumbprint of the key of a DPoP proof
 * (RFC 9449 section 6.1), or of a client certificate (RFC 8705 section 3.1). Whoever presents the token has to hold the
 * key of every member.
 */

import { hash } from 'node:crypto'
import type { ClientCertificate } from '../contract/operation.ts'

/** A confirmation method. */
export interface Confirmation {
  /** RFC 7638 SHA-256 thumbprint of a public key, base64url. */
  readonly jkt?: string
  /** SHA-256 of the DER of a certificate, base64url. */
  readonly 'x5t#S256'?: string
  /** RFC 7638 thumbprint of the key of an attested instance of a client. Refresh tokens alone are bound to it: no claim. */
  readonly instance?: string
}

/** The thumbprint of a certificate, RFC 8705 section 3.1. */
export function certificateThumbprint({ certificate }: ClientCertificate): string {
  return hash('sha256', certificate.raw, 'base64url')
}

/** Whether every key that something is bound to was proved. What is bound to nothing is anybody's. */
export function isProved(bound: Confirmation | undefined, proved: Confirmation | undefined): boolean {
  return (
    (bound?.jkt === undefined || bound.jkt === proved?.jkt) &&
    (bound?.['x5t#S256'] === undefined || bound['x5t#S256'] === proved?.['x5t#S256']) &&
    (bound?.instance === undefined || bound.instance === proved?.instance)
  )
}

/** The `cnf` claim of an access token; undefined when it is bound to nothing. */
export function cnfOf(confirmation: Confirmation | undefined): Omit<Confirmation, 'instance'> | undefined {
  const { instance: _, ...members } = confirmation ?? {}
  return Object.keys(members).length > 0 ? members : undefined
}

/** What of the keys that a client has proved its refresh tokens are bound to (RFC 9449 section 5, RFC 8705 section 7.1). */
export function refreshConfirmation(
  confirmation: Confirmation | undefined,
  isPublic: boolean,
): Confirmation | undefined {
  if (isPublic || confirmation?.instance === undefined) return isPublic ? confirmation : undefined
  return { instance: confirmation.instance }
}

/**
 * Reads the `cnf` claim of a token of our own.
 * @returns undefined when it is none that we know: then nobody can prove it
 */
export function readConfirmation(cnf: unknown): Confirmation | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  const { jkt, 'x5t#S256': thumbprint, ...others } = cnf as Readonly<Record<string, unknown>>
  const isKnown =
    Object.keys(others).length === 0 &&
    (jkt === undefined || typeof jkt === 'string') &&
    (thumbprint === undefined || typeof thumbprint === 'string') &&
    (jkt !== undefined || thumbprint !== undefined)
  return isKnown ? cnf : undefined
}

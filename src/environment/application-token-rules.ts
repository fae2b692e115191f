/**
 * PURE: what must fit together in what an application wants its tokens to be like. platform-api 3.7 (`signing`), OpenID
 * Connect Core section 8.1, Dynamic Client Registration 1.0 section 2, JARM section 3.
 *
 * Never: an application saved whose tokens could not be made.
 */
import type { BlockList } from 'node:net'
import type { Detail } from '../errors/problem.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { isHmac } from '../keys/algorithm.ts'
import type { Candidate } from './application-rules.ts'

/** The kinds of application that may have a key rotation policy of their own. */
const mayHavePolicy: readonly string[] = ['WEB_APP', 'NATIVE_APP', 'SINGLE_PAGE_APP', 'CUSTOM_APP']

/**
 * Everything that is wrong with it; empty when nothing is.
 * @param listed addresses the operator lets the server ask beside public ones
 */
export function tokenProblems(candidate: Candidate, listed: BlockList | undefined): Detail[] {
  const { type, signing, idTokenSignedResponseAlg, userinfoSignedResponseAlg, authorizationSignedResponseAlg } =
    candidate
  return [
    ...invalid(
      'signing',
      signing && !mayHavePolicy.includes(type)
        ? `is for applications of the types ${mayHavePolicy.join(', ')}`
        : undefined,
    ),
    ...secretProblems('idTokenSignedResponseAlg', idTokenSignedResponseAlg, candidate),
    ...secretProblems('userinfoSignedResponseAlg', userinfoSignedResponseAlg, candidate),
    ...secretProblems('authorizationSignedResponseAlg', authorizationSignedResponseAlg, candidate),
    ...encryptionProblems('idToken', candidate),
    ...encryptionProblems('userinfo', candidate),
    ...encryptionProblems('authorization', candidate),
    ...sectorProblems(candidate, listed),
  ]
}

function secretProblems(
  target: string,
  algorithm: Candidate['idTokenSignedResponseAlg'],
  { tokenEndpointAuthMethod }: Candidate,
): Detail[] {
  const hasSecret = tokenEndpointAuthMethod.startsWith('CLIENT_SECRET')
  const lacks = algorithm !== undefined && isHmac(algorithm) && !hasSecret
  return invalid(target, lacks ? 'needs a client secret: tokenEndpointAuthMethod CLIENT_SECRET_…' : undefined)
}

function encryptionProblems(what: 'idToken' | 'userinfo' | 'authorization', candidate: Candidate): Detail[] {
  const algorithm = candidate[`${what}EncryptedResponseAlg`]
  const content = candidate[`${what}EncryptedResponseEnc`]
  const hasKeys = candidate.jwks !== undefined || candidate.jwksUrl !== undefined
  return [
    ...invalid(
      `${what}EncryptedResponseAlg`,
      algorithm !== undefined && !hasKeys ? 'needs jwks or jwksUrl: the key it is encrypted to' : undefined,
    ),
    ...invalid(
      `${what}EncryptedResponseEnc`,
      content !== undefined && algorithm === undefined ? `needs ${what}EncryptedResponseAlg` : undefined,
    ),
  ]
}

/** OpenID Connect Core section 8.1: the sector is one host, and it has to be clear which. */
function sectorProblems(
  { subjectType, sectorIdentifierUri, redirectUris }: Candidate,
  listed: BlockList | undefined,
): Detail[] {
  if (sectorIdentifierUri !== undefined) {
    const isSecure = /^https:/i.test(sectorIdentifierUri)
    const message = isSecure ? outboundUrlProblem(sectorIdentifierUri, listed) : 'must be an https address'
    return invalid('sectorIdentifierUri', message)
  }
  if (subjectType !== 'pairwise') return []
  const hosts = new Set(redirectUris.map((uri) => (URL.canParse(uri) ? new URL(uri).hostname : '')))
  const isClear = hosts.size === 1 && !hosts.has('')
  return invalid(
    'sectorIdentifierUri',
    isClear ? undefined : 'is needed with subjectType pairwise, unless all redirect URIs have one host',
  )
}

function invalid(target: string, message: string | undefined): Detail[] {
  return message === undefined ? [] : [{ code: 'INVALID_VALUE', target, message }]
}
